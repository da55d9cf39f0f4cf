/** One driver instance on its way to Exim 4: its settings, what was used of them, and the lines of the new instance. */

import { trim } from '../../lib/octets.ts';
import type { OldListKind } from './lists.ts';
import { type Output, shown } from './output.ts';
import type { OldBlock, OldSetting } from './text.ts';
import { asValue, convertValue, type Names } from './values.ts';

/** What becomes of an option of a driver. */
export type BlockRule =
  | { readonly to: string }
  | { readonly gone: string }
  /** A list whose items are converted. */
  | { readonly list: OldListKind; readonly to?: string; readonly wasExpanded?: boolean }
  | ((setting: OldSetting, block: NewBlock) => void);

export type BlockRules = ReadonlyMap<string, BlockRule>;

/** Options that name files, directories and programs. */
const nameOptions: ReadonlySet<string> = new Set([
  'command',
  'current_directory',
  'directory',
  'file',
  'file_directory',
  'home_directory',
  'log',
  'once',
  'route_file',
]);

export class NewBlock {
  readonly old: OldBlock;
  readonly output: Output;
  readonly names: Names;
  /** `$local_part` is the name of a local user. */
  readonly checkedUser: boolean;
  /** Options whose changes were told. */
  readonly #told = new Set<string>();
  readonly #settings: ReadonlyMap<string, OldSetting>;

  constructor(old: OldBlock, output: Output, names: Names, checkedUser: boolean) {
    this.old = old;
    this.output = output;
    this.names = names;
    this.checkedUser = checkedUser;
    this.#settings = new Map(old.settings.map((setting) => [setting.name, setting]));
  }

  get(name: string): OldSetting | undefined {
    return this.#settings.get(name);
  }

  isOn(name: string, standard = false): boolean {
    return this.get(name)?.on ?? standard;
  }

  /** The value of an option with macros replaced, without quotes. */
  plain(name: string): string | undefined {
    const setting = this.get(name);
    return setting?.plain === undefined ? undefined : trim(setting.plain.replace(/^"(.*)"$/s, '$1'));
  }

  /** The value in its new form. */
  text(name: string, isName = nameOptions.has(name)): string {
    const setting = this.get(name);
    if (setting?.value === undefined) return '';
    const { text, remarks, refused } = convertValue(setting, isName, this.checkedUser, this.names);
    if (this.#told.has(name)) return text;
    this.#told.add(name);
    for (const variable of refused) this.#tellRefused(setting, variable);
    if (remarks.length > 0) this.remark(`${name}: ${remarks.join('; ')}`, setting);
    return text;
  }

  #tellRefused(setting: OldSetting, variable: string): void {
    this.output.warning(
      `${this.old.name}: nobody vouches for $${variable} in ${setting.name}; such a delivery is refused`,
      setting.line.number,
    );
  }

  write(text: string, from: OldSetting | undefined, remark?: string): void {
    const number = from?.line.number ?? this.old.heading.number;
    if (remark !== undefined) this.output.remark(remark, number);
    this.output.write(`  ${text}`, number);
  }

  remark(text: string, from: OldSetting | undefined): void {
    this.output.remark(text, from?.line.number ?? this.old.heading.number);
  }

  /** A setting under another name; a switch stays one. */
  rename(setting: OldSetting, to: string, why?: string): void {
    const remark = why === undefined ? shown(setting) : `${shown(setting)}: ${why}`;
    if (setting.value === undefined) {
      this.write(setting.on ? to : `no_${to}`, setting, remark);
      return;
    }
    const { written, remarks, refused } = convertValue(
      setting,
      nameOptions.has(setting.name),
      this.checkedUser,
      this.names,
    );
    for (const variable of refused) this.#tellRefused(setting, variable);
    this.write(`${setting.hidden ? 'hide ' : ''}${to} = ${written}`, setting, [remark, ...remarks].join('; '));
  }

  /** A setting as it is, but for variables in names of files, and what `change` does. */
  keep(setting: OldSetting, change?: (text: string) => string): void {
    const { value } = setting;
    const { written, remarks, refused } =
      value === undefined
        ? { written: undefined, remarks: [] as string[], refused: [] }
        : convertValue(setting, nameOptions.has(setting.name), this.checkedUser, this.names);
    for (const variable of refused) this.#tellRefused(setting, variable);
    const changed = written === undefined ? undefined : (change?.(written) ?? written);
    if (changed === value) {
      this.output.copy(setting.line.physical);
      return;
    }
    if (changed !== written) remarks.push('the local part is meant with its prefix and suffix');
    const hide = setting.hidden ? 'hide ' : '';
    this.write(`${hide}${setting.name} = ${changed}`, setting, `${setting.name}: ${remarks.join('; ')}`);
  }

  /** A list with its items in their new form. */
  list(
    setting: OldSetting,
    rule: { readonly list: OldListKind; readonly to?: string; readonly wasExpanded?: boolean },
  ): void {
    const { text, changes, problems } = this.names.list(setting, rule.list, 'other', rule.wasExpanded);
    for (const problem of problems) this.output.error(problem, setting.line.number);
    if (changes.length === 0 && rule.to === undefined) this.keep(setting);
    else
      this.write(
        `${rule.to ?? setting.name} = ${asValue(text)}`,
        setting,
        `${shown(setting)}${changes.length === 0 ? '' : `: ${changes.join('; ')}`}`,
      );
  }

  /** Begins the new instance. `driver` is written first, as the others depend on it. */
  begin(name: string, driver: string): void {
    const { heading } = this.old;
    this.output.copy(heading.above);
    const was = this.plain('driver') ?? '';
    if (was !== driver) this.output.remark(`driver = ${was}`, heading.number);
    this.output.write(`${name}:`, heading.number);
    this.output.write(`  driver = ${driver}`, this.get('driver')?.line.number ?? heading.number);
  }

  /** Writes all settings but those that are done elsewhere, by the rules. */
  settings(rules: BlockRules, done: ReadonlySet<string>): void {
    for (const setting of this.old.settings) {
      this.output.keepComments(setting.line);
      if (setting.name === 'driver' || done.has(setting.name)) continue;
      const rule = rules.get(setting.name);
      if (rule === undefined) this.keep(setting);
      else if (typeof rule === 'function') rule(setting, this);
      else if ('list' in rule) this.list(setting, rule);
      else if ('to' in rule) this.rename(setting, rule.to);
      else this.remark(`${shown(setting)}: ${rule.gone}`, setting);
    }
  }
}
