/** Reads a section of driver instances: `name:` and its options below, of which `driver` says what the others mean. */

import { didYouMean, OptionReader, parseSetting } from '../options/read.ts';
import type { OptionsOf, OptionTable } from '../options/table.ts';
import type { Place, Problems } from './problems.ts';
import type { LogicalLine } from './source.ts';

/** What was read of one instance. */
export interface ReadInstance<D> {
  readonly name: string;
  readonly driver: D;
  readonly common: OptionsOf<OptionTable>;
  readonly options: OptionsOf<OptionTable>;
  readonly set: ReadonlySet<string>;
  readonly hidden: ReadonlySet<string>;
  /** Where its last line stands. */
  readonly place: Place;
  /** Where its settings stand, by the names they were written with. */
  readonly places: ReadonlyMap<string, Place>;
}

/** What a section holds. */
export interface DriverFamily<D> {
  /** `router` */
  readonly word: string;
  readonly drivers: ReadonlyMap<string, D & { readonly options: OptionTable }>;
  readonly commonOptions: OptionTable;
}

interface Unfinished<D> {
  readonly name: string;
  driver: (D & { readonly options: OptionTable }) | undefined;
  /** A driver that does not exist was named; its private options cannot be checked. */
  unknownDriver: boolean;
  readonly common: OptionReader<OptionTable>;
  private: OptionReader<OptionTable> | undefined;
  place: Place;
  readonly places: Map<string, Place>;
}

const heading = /^([A-Za-z][A-Za-z0-9_]*)[ \t]*:[ \t]*(.*)$/s;

/** Reads the lines of a section. */
export function readDriverSection<D>(
  lines: Iterable<LogicalLine>,
  family: DriverFamily<D>,
  problems: Problems,
): ReadInstance<D>[] {
  const found: ReadInstance<D>[] = [];
  let current: Unfinished<D> | undefined;
  const finish = (): void => {
    const instance = current === undefined ? undefined : finished(current, family, problems);
    if (instance === undefined) return;
    if (found.some(({ name }) => name === instance.name)) {
      problems.error(`there are two ${family.word}s called "${instance.name}"`, instance.place);
    } else {
      found.push(instance);
    }
  };
  for (const line of lines) {
    const named = heading.exec(line.text);
    if (named !== null) {
      finish();
      const [, name = '', rest = ''] = named;
      if (rest !== '') problems.error(`extra characters follow driver name ${name}`, line.place);
      current = {
        name,
        driver: undefined,
        unknownDriver: false,
        common: new OptionReader(family.commonOptions),
        private: undefined,
        place: line.place,
        places: new Map(),
      };
    } else if (current === undefined) {
      problems.error(`${family.word} name missing`, line.place, 'an instance begins with its name and a colon');
    } else {
      takeSetting(line, current, family, problems);
    }
  }
  finish();
  return found;
}

function finished<D>(
  { name, driver, unknownDriver, common, private: own, place, places }: Unfinished<D>,
  { word }: DriverFamily<D>,
  problems: Problems,
): ReadInstance<D> | undefined {
  if (driver === undefined || own === undefined) {
    if (!unknownDriver) problems.error(`no driver defined for ${word} "${name}"`, place);
    return undefined;
  }
  return {
    name,
    driver,
    common: common.values(),
    options: own.values(),
    set: new Set([...common.set, ...own.set]),
    hidden: new Set([...common.hidden, ...own.hidden]),
    place,
    places,
  };
}

function takeSetting<D>(line: LogicalLine, current: Unfinished<D>, family: DriverFamily<D>, problems: Problems): void {
  current.place = line.place;
  const setting = parseSetting(line.text);
  if ('error' in setting) {
    problems.error(setting.error, line.place, setting.remedy);
    return;
  }
  current.places.set(setting.name, line.place);
  const { common, private: own } = current;
  const isPrivate = own !== undefined && (own.knows(setting.name) || !common.knows(setting.name));
  if (current.unknownDriver && !common.knows(setting.name)) return;
  const reader = isPrivate ? own : common;
  const problem = reader.take(setting, (name) =>
    own === undefined
      ? `option "${name}" unknown ("driver" must be specified before any private options)`
      : `option "${name}" unknown`,
  );
  if (problem !== undefined) {
    const remedy =
      problem.remedy ??
      (own === undefined || reader.knows(setting.name) ? undefined : didYouMean(setting.name, commonNames(family)));
    problems.error(problem.error, line.place, remedy);
  } else if (setting.name === 'driver') {
    chooseDriver(setting.value ?? '', line.place, current, family, problems);
  }
}

function commonNames<D>(family: DriverFamily<D>): readonly string[] {
  return Object.keys(family.commonOptions);
}

function chooseDriver<D>(
  text: string,
  place: Place,
  current: Unfinished<D>,
  { word, drivers }: DriverFamily<D>,
  problems: Problems,
): void {
  const name = text.replace(/^"(.*)"$/, '$1');
  current.driver = drivers.get(name);
  if (current.driver === undefined) {
    current.unknownDriver = true;
    const remedy = didYouMean(name, drivers.keys());
    problems.error(`${word} ${current.name}: cannot find ${word} driver "${name}"`, place, remedy);
    return;
  }
  current.private = new OptionReader(current.driver.options);
}
