/**
 * Names of files in Exim 3 text are made of `$local_part` and `$domain` as they came from outside. Exim 4 takes only what
 * somebody vouched for. In the new text a macro stands in their place: it takes a value that is safe as one component of
 * a path, and makes it anew, letter by letter, from a list of harmless ones; any other value makes the expansion fail.
 * So nothing can leave the directory it was meant for, in this program and in the real Exim alike.
 */

import { parse } from '../../expand/parse.ts';
import type { Condition, Node } from '../../expand/tree.ts';

const letters = [...'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_+=!#%&*?^`|~.@', "'"];

/** Variables from outside that one may make a name of; those in the second list may be empty. */
const components = [
  'local_part',
  'domain',
  'original_local_part',
  'original_domain',
  'parent_local_part',
  'parent_domain',
];
const optionalComponents = [
  'local_part_prefix',
  'local_part_suffix',
  'sender_address',
  'sender_address_local_part',
  'sender_address_domain',
  'return_path',
];

export const isVouchable = (name: string): boolean => components.includes(name) || optionalComponents.includes(name);

/** The text of the macro for a variable. */
export function vouchedText(variable: string): string {
  const atLeast = optionalComponents.includes(variable) ? 0 : 1;
  const pattern = `\\N^(?![.])[-A-Za-z0-9_+=!#%&*?^\`|~.@']{${atLeast},255}\\z\\N`;
  const letterByLetter = `\${if inlist{$item}{${letters.join(':')}}{$value}fail}`;
  return (
    `\${if match{$${variable}}{${pattern}}` +
    `{\${reduce{\${sg{$${variable}}{\\N.\\N}{\\$0:}}}{}{$value${letterByLetter}}}}fail}`
  );
}

/** A place in a text where a variable stands that has to be vouched for. */
export interface Found {
  readonly at: number;
  /** Octets that the variable takes: `$name` or `${name}`. */
  readonly length: number;
  readonly name: string;
}

/** Whether a search type takes a file, whose name stands behind it. */
const takesFile = (type: string): boolean =>
  !/^(?:dnsdb|ibase|ldap|ldapdn|ldapm|mysql|nisplus|oracle|passwd|pgsql|redis|sqlite|whoson|testdb)\b/.test(type);

type Role = 'name' | 'other';

/** Finds variables in names of files: all of the text when it is one, and the files of lookups in it. */
export function variablesInNames(text: string, isName: boolean): Found[] {
  const found: Found[] = [];
  const visit = (node: Node | undefined, role: Role): void => {
    if (node === undefined) return;
    switch (node.kind) {
      case 'literal':
      case 'mistake':
      case 'header':
        return;
      case 'variable': {
        const written = [`\${${node.name}}`, `$${node.name}`].find((form) => text.startsWith(form, node.at));
        if (role === 'name' && written !== undefined)
          found.push({ at: node.at, length: written.length, name: node.name });
        return;
      }
      case 'sequence':
        for (const part of node.parts) visit(part, role);
        return;
      case 'operator':
        visit(node.operand, role);
        return;
      case 'item': {
        const { name, words, arguments: args, condition, yes, no } = node;
        for (const [index, argument] of args.entries()) {
          const file =
            (name === 'lookup' && index === 1 && takesFile(words[0] ?? '')) || (name === 'readfile' && index === 0);
          const key = name === 'lookup' || name === 'run' || name === 'perl';
          visit(argument, file ? 'name' : key ? 'other' : role);
        }
        if (condition !== undefined) visitCondition(condition);
        visit(yes, role);
        if (no !== 'fail') visit(no, role);
      }
    }
  };
  const visitCondition = ({ arguments: args, conditions }: Condition): void => {
    for (const argument of args) visit(argument, 'other');
    for (const inner of conditions) visitCondition(inner);
  };
  visit(parse(text), isName ? 'name' : 'other');
  return found.sort((a, b) => a.at - b.at);
}
