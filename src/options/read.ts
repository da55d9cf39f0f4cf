/** Reads option settings against a table, with Exim's words for mistakes and a remedy where one can be guessed. */

import { nearest } from '../lib/nearest.ts';
import { trim, trimStart } from '../lib/octets.ts';
import type { OptionRow, OptionsOf, OptionTable } from './table.ts';
import { standardValues } from './table.ts';

/** A mistake in a setting, and what may help. */
export interface SettingProblem {
  readonly error: string;
  readonly remedy?: string | undefined;
}

/** A line taken apart: `hide no_name`, `name = value`. */
export interface Setting {
  readonly hidden: boolean;
  /** The name with its `no_` or `not_`. */
  readonly name: string;
  /** What stands behind the equals sign; nothing when there is none. */
  readonly value: string | undefined;
  /** The whole of what follows the name, for switches that are negated. */
  readonly rest: string;
}

export function parseSetting(line: string): Setting | SettingProblem {
  let text = trim(line);
  let hidden = false;
  for (let found = /^hide(?:[ \t-\r]+|$)/.exec(text); found !== null; found = /^hide(?:[ \t-\r]+|$)/.exec(text)) {
    hidden = true;
    text = text.slice(found[0].length);
  }
  if (!hidden && !/^[A-Za-z]/.test(text)) return { error: `option setting expected: ${text}` };
  const name = /^[A-Za-z0-9_]*/.exec(text)?.[0] ?? '';
  const rest = trimStart(text.slice(name.length));
  return { hidden, name, value: rest.startsWith('=') ? trimStart(rest.slice(1)) : undefined, rest };
}

/** The options that one name in a setting means. */
interface Meaning {
  /** The name without `no_` or `not_`. */
  readonly name: string;
  readonly options: readonly string[];
  readonly negated: boolean;
}

/** What is the same for all who read settings against a table: a configuration has hundreds of drivers, and few tables. */
interface Prepared {
  readonly names: ReadonlyMap<string, readonly string[]>;
  readonly standard: Readonly<Record<string, unknown>>;
}

const preparedTables = new WeakMap<OptionTable, Prepared>();

function prepare(table: OptionTable): Prepared {
  const known = preparedTables.get(table);
  if (known !== undefined) return known;
  const names = new Map<string, string[]>();
  for (const [name, row] of Object.entries(table)) {
    for (const each of [name, ...row.synonyms]) names.set(each, [...(names.get(each) ?? []), name]);
  }
  const prepared = { names, standard: standardValues(table) };
  preparedTables.set(table, prepared);
  return prepared;
}

/** Collects the settings of one driver or of the main section. */
export class OptionReader<T extends OptionTable> {
  readonly #table: T;
  readonly #names: ReadonlyMap<string, readonly string[]>;
  readonly #standard: Readonly<Record<string, unknown>>;
  /** Those that were set. */
  readonly #values = new Map<string, unknown>();
  /** Names as they were written; a synonym may be set beside its option, and the later one wins. */
  readonly #written = new Set<string>();
  /** Names of the options that were set. */
  readonly set = new Set<string>();
  readonly hidden = new Set<string>();

  constructor(table: T) {
    this.#table = table;
    const { names, standard } = prepare(table);
    this.#names = names;
    this.#standard = standard;
  }

  /** Whether the table has an option that this name, negated or not, means. */
  knows(name: string): boolean {
    return this.#find(name) !== undefined;
  }

  #find(name: string): Meaning | undefined {
    const plain = this.#names.get(name);
    if (plain !== undefined) return { name, options: plain, negated: false };
    const negated = /^(?:no|not)_(.*)$/.exec(name)?.[1] ?? '';
    const options = this.#names.get(negated);
    return options === undefined ? undefined : { name: negated, options, negated: true };
  }

  /** Takes a setting in, or says what is wrong with it. `unknown` words the message about an unknown name. */
  take(setting: Setting, unknown: (name: string) => string): SettingProblem | undefined {
    const found = this.#find(setting.name);
    if (found === undefined)
      return { error: unknown(setting.name), remedy: didYouMean(setting.name, this.#names.keys()) };
    for (const option of found.options) {
      const row = this.#table[option];
      if (row === undefined) continue;
      if (this.#written.has(found.name) && row.again === undefined) {
        return { error: `"${setting.name}" option set for the second time` };
      }
      const value = found.negated ? readNegated(setting, row) : readPlain(setting, row);
      if ('error' in value) return value;
      const joined = this.set.has(option) && row.again ? row.again(this.#values.get(option), value.value) : value.value;
      this.#values.set(option, joined);
      this.set.add(option);
      if (setting.hidden) this.hidden.add(option);
    }
    this.#written.add(found.name);
    return undefined;
  }

  values(): OptionsOf<T> {
    // names are there already: all instances of a driver keep one shape, which is made and read fast
    const values: Record<string, unknown> = { ...this.#standard };
    for (const [name, value] of this.#values) values[name] = value;
    return Object.freeze(values) as OptionsOf<T>;
  }
}

function readNegated(setting: Setting, row: OptionRow<unknown>): { readonly value: unknown } | SettingProblem {
  if (!row.isSwitch) return { error: 'negation prefix applied to a non-boolean option' };
  return setting.rest === '' ? { value: false } : { error: `extra characters follow boolean option ${setting.name}` };
}

function readPlain(setting: Setting, row: OptionRow<unknown>): { readonly value: unknown } | SettingProblem {
  if (setting.value === undefined && setting.rest !== '') {
    return row.isSwitch
      ? { error: `extra characters follow boolean option ${setting.name}` }
      : { error: `missing "=" after ${setting.name}` };
  }
  return row.read(setting.value, setting.name);
}

/** `did you mean "x"?`, when one of the names is close. */
export function didYouMean(name: string, names: Iterable<string>): string | undefined {
  const guess = nearest(name, names);
  return guess === undefined ? undefined : `did you mean "${guess}"?`;
}
