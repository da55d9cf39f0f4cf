/** Reads ACL statements (Exim spec 44.17): a verb, then conditions and modifiers, on its line or on those below. */

import { compileTemplate } from '../expand/expand.ts';
import { nearest } from '../lib/nearest.ts';
import { trim } from '../lib/octets.ts';
import { type Acl, type Clause, isCondition, type Statement, type Verb } from './acl.ts';
import { clauseDrivers } from './drivers.ts';
import { dkimSettable } from './modifiers/actions.ts';

/** A line of an ACL. */
export interface AclLine {
  readonly text: string;
  /** File and line number, or what else tells where it stands. */
  readonly place: string;
}

/** What is wrong with a line, in Exim's words, and what may help. */
export type AclFault = (message: string, remedy?: string) => void;

const verbs: ReadonlySet<string> = new Set<Verb>(['accept', 'defer', 'deny', 'discard', 'drop', 'require', 'warn']);

function isVerb(word: string): word is Verb {
  return verbs.has(word);
}

/** `b: …` begins another ACL. */
const heading = /^([A-Za-z][A-Za-z0-9_]*)[ \t-\r]*:[ \t-\r]*(.*)$/s;

/** Takes a line that names an ACL apart; what stands behind the colon is its first statement. */
export function parseAclHeading(text: string): { readonly name: string; readonly rest: string } | undefined {
  const found = heading.exec(text);
  return found === null ? undefined : { name: found[1] ?? '', rest: found[2] ?? '' };
}

/** Reads statements line by line. */
export class AclReader {
  readonly #statements: { verb: Verb; clauses: Clause[]; place: string }[] = [];

  take({ text, place }: AclLine, fault: AclFault): void {
    const [, word = '', rest = ''] = /^([A-Za-z0-9_]*)[ \t-\r]*(.*)$/s.exec(text) ?? [];
    let clause = text;
    if (isVerb(word) && !/^[=]/.test(rest)) {
      this.#statements.push({ verb: word, clauses: [], place });
      clause = rest;
    } else if (this.#statements.length === 0) {
      fault(`error in ACL: unknown ACL verb "${word}" in "${text}"`, suggestion(word, verbs));
      return;
    }
    const statement = this.#statements.at(-1);
    if (clause !== '' && statement !== undefined) {
      const parsed = parseClause(clause, text, statement.verb, fault);
      if (parsed !== undefined) statement.clauses.push(parsed);
    }
  }

  get statements(): readonly Statement[] {
    return this.#statements;
  }
}

function suggestion(word: string, words: Iterable<string>): string | undefined {
  const guess = nearest(word, words);
  return guess === undefined ? undefined : `did you mean "${guess}"?`;
}

function parseClause(text: string, line: string, verb: Verb, fault: AclFault): Clause | undefined {
  const [, mark = '', name = '', rest = ''] = /^(!?)[ \t-\r]*([A-Za-z0-9_]*)[ \t-\r]*(.*)$/s.exec(text) ?? [];
  const driver = name === 'acl' ? 'acl' : clauseDrivers.get(name);
  const negated = mark !== '';
  const fail = (message: string, remedy?: string): undefined => fault(`error in ACL: ${message}`, remedy) as undefined;
  if (driver === undefined) {
    const known = suggestion(name, ['acl', ...verbs, ...clauseDrivers.keys()]);
    return fail(`unknown ACL condition/modifier in "${line}"`, known);
  }
  const canBeNegated = driver === 'acl' || isCondition(driver);
  if (negated && !canBeNegated) return fail(`ACL error: negation is not allowed with "${name}"`);
  if (driver !== 'acl' && driver.kind === 'mark') {
    if (verb !== 'accept' && verb !== 'discard') return fail(`ACL error: "${name}" is not allowed with "${verb}"`);
    return { driver, name, negated, variable: '', template: compileTemplate('') };
  }
  const variable = name === 'set' ? (/^[A-Za-z0-9_]*/.exec(rest)?.[0] ?? '') : '';
  if (name === 'set') {
    const problem = variableProblem(variable);
    if (problem !== undefined) {
      return fail(`invalid variable name after "set" in ACL modifier "set ${rest}" (${problem})`);
    }
  }
  const value = /^[ \t-\r]*=[ \t-\r]*(.*)$/s.exec(rest.slice(variable.length))?.[1];
  if (value === undefined) return fail(`"=" missing after ACL "${name}" ${canBeNegated ? 'condition' : 'modifier'}`);
  return { driver, name, negated, variable, template: compileTemplate(value) };
}

function variableProblem(name: string): string | undefined {
  if (dkimSettable.has(name)) return undefined;
  if (!/^acl_[cm]/.test(name)) return 'must start "acl_c" or "acl_m"';
  return /^acl_[cm][0-9_]/.test(name) ? undefined : 'digit or underscore must follow acl_c or acl_m';
}

const maximumInlineLines = 10_000;

/** An ACL that stands in an option or in a file of its own: statements without a name, up to a line that names another. */
export function parseInlineAcl(text: string, name: string): Acl | { readonly error: string } {
  const reader = new AclReader();
  const lines = text.replace(/\\\n[ \t]*/g, '').split('\n');
  if (lines.length > maximumInlineLines) return { error: 'the ACL is too long' };
  let problem: string | undefined;
  for (const [index, line] of lines.entries()) {
    const trimmed = trim(line);
    if (trimmed === '' || trimmed.startsWith('#')) continue;
    if (parseAclHeading(trimmed) !== undefined) break;
    reader.take({ text: trimmed, place: `line ${index + 1} of ${name}` }, (message) => {
      problem ??= message.replace(/^error in ACL: /, '');
    });
    if (problem !== undefined) return { error: problem };
  }
  return { name, statements: reader.statements };
}
