/** Values of options on their way to Exim 4: variables that have other names now, and names of files that are vouched for. */

import { readQuoted } from '../../lib/escapes.ts';
import { upper } from '../../lib/octets.ts';
import type { Macros } from '../macros.ts';
import { convertList, type NewList, type OldListKind, type Purpose } from './lists.ts';
import type { OldSetting } from './text.ts';
import { isVouchable, variablesInNames, vouchedText } from './vouched.ts';

const renamed: ReadonlyMap<string, string> = new Map([
  ['errmsg_recipient', '$bounce_recipient'],
  ['message_precedence', '$h_precedence:'],
  ['rbl_domain', '$dnslist_domain'],
  ['rbl_text', '$dnslist_text'],
  ['route_option', '$address_data'],
  ['primary_host_name', '$primary_hostname'],
]);

/** Text within quotes that stands for `text`. */
function quoted(text: string): string {
  return `"${text.replace(/["\\]/g, '\\$&').replaceAll('\n', '\\n').replaceAll('\t', '\\t')}"`;
}

/** The text that a value stands for: without its quotes. */
export function unquoted(value: string): string {
  if (!value.startsWith('"')) return value;
  return readQuoted(value, 0)?.value ?? value;
}

/** A text as the value of an option: in quotes where it would not be read as it is. */
export function asValue(text: string): string {
  return /^[" \t]|[ \t\\]$|\n/.test(text) ? quoted(text) : text;
}

/** The macros of the old text, and those that come to be needed for variables in names of files. */
export class Names {
  readonly #used = new Map<string, string>();
  readonly #macros: Macros;

  constructor(macros: Macros) {
    this.#macros = macros;
  }

  /**
   * Changes a value: with its macros as they were written as long as that means the same as a change behind them. The
   * change is given the text without quotes.
   */
  change<T extends { readonly text: string }>({ value = '', plain = '' }: OldSetting, change: (text: string) => T): T {
    const result = change(unquoted(plain));
    if (value === plain) return result;
    const written = change(unquoted(value));
    return this.#macros.replace(written.text).text === result.text ? written : result;
  }

  /** The value as it is, without quotes. */
  text(setting: OldSetting): string {
    return this.change(setting, (text) => ({ text })).text;
  }

  /** A list in its new form. */
  list(setting: OldSetting, kind: OldListKind, purpose: Purpose = 'other', wasExpanded = false): NewList {
    return this.change(setting, (text) => convertList(text, kind, purpose, wasExpanded));
  }

  /** What stands for a variable in the name of a file. */
  macro(variable: string): string {
    const known = this.#used.get(variable);
    if (known !== undefined) return known;
    const others = [...[...this.#macros.all].map((macro) => macro.name), ...this.#used.values()];
    const clashes = (name: string): boolean => others.some((other) => name.includes(other) || other.includes(name));
    let name = `SAFE_${upper(variable)}`;
    for (let number = 1; clashes(name) && number < 1000; number++) name = `Q${number}Q`;
    this.#used.set(variable, name);
    return name;
  }

  /** A macro of the old text that would be replaced within one of ours, and so change what it lets through. */
  get intruder(): string | undefined {
    const texts = [...this.#used.keys()].map(vouchedText);
    return [...this.#macros.all].find(({ name }) => texts.some((text) => text.includes(name)))?.name;
  }

  /** Definitions of the macros that were used. */
  get definitions(): readonly string[] {
    return [...this.#used].map(([variable, name]) => `${name} = ${vouchedText(variable)}`);
  }
}

export interface NewValue {
  readonly text: string;
  readonly remarks: string[];
  /** Variables in names of files for which nobody can vouch. */
  readonly refused: readonly string[];
}

function rename(text: string, remarks: string[]): string {
  return text.replace(/\$(?:\{([a-z_]+)\}|([a-z_]+))/g, (written, braced?: string, plain?: string) => {
    const now = renamed.get(braced ?? plain ?? '');
    if (now === undefined) return written;
    remarks.push(`${written} is ${now}`);
    return now;
  });
}

const untrusted =
  /^(?:h|header|bh|bheader|rh|rheader)_|^(?:sender_|original_|parent_|return_path|reply_address|message_|recipients|local_part|domain)/;

/**
 * A text with its variables by their new names. In names of files `$local_part` is what `checkedUser` says (the name of
 * the local user that was found) or a macro that vouches for it.
 */
export function convertText(text: string, isName: boolean, checkedUser: boolean, names: Names): NewValue {
  const remarks: string[] = [];
  const refused: string[] = [];
  const current = rename(text, remarks);
  let result = '';
  let at = 0;
  for (const found of variablesInNames(current, isName)) {
    result += current.slice(at, found.at);
    at = found.at + found.length;
    const written = current.slice(found.at, at);
    if (found.name === 'local_part' && checkedUser) {
      result += '${local_part_data}';
      remarks.push(`${written} is $local_part_data, the name of the user that was found`);
    } else if (isVouchable(found.name)) {
      const macro = names.macro(found.name);
      result += macro;
      remarks.push(`${written} is ${macro}, as names of files may not hold what nobody vouched for`);
    } else {
      result += written;
      if (untrusted.test(found.name)) refused.push(found.name);
    }
  }
  return { text: result + current.slice(at), remarks: [...new Set(remarks)], refused };
}

/** The value of a setting; `written` is how it stands in the file, in quotes where it must. */
export function convertValue(
  setting: OldSetting,
  isName: boolean,
  checkedUser: boolean,
  names: Names,
): NewValue & { readonly written: string } {
  const converted = names.change(setting, (text) => convertText(text, isName, checkedUser, names));
  return {
    ...converted,
    written: converted.text === names.text(setting) ? (setting.value ?? '') : asValue(converted.text),
  };
}
