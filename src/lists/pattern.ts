/** Patterns that lists of all kinds share: asterisk, regular expression, lookup, literal text. */

import type { Context } from '../expand/context.ts';
import { type Eventual, then } from '../lib/eventual.ts';
import { lower, trimEnd } from '../lib/octets.ts';
import { RegexLimit, RegexSyntaxError, regex } from '../lib/regex.ts';
import { Text } from '../safe/taint.ts';
import type { ItemAnswer, ItemTest } from './list.ts';

export const noMatch: ItemAnswer = { outcome: 'no match' };

/** A match that tells nothing. */
export const withoutValue = (answer: ItemAnswer): ItemAnswer =>
  answer.outcome === 'match' ? { ...answer, value: undefined } : answer;

/** `*suffix`: compares the end, and sets `$0` and `$1`. */
export function suffixTest(item: Text): ItemTest {
  const suffix = item.value.slice(1);
  const lowered = lower(suffix);
  return ({ text, original, caseful }) => {
    const subject = caseful ? original : text;
    const ends = caseful ? subject.endsWith(suffix) : lower(subject).endsWith(lowered);
    if (!ends) return noMatch;
    const variable = subject.slice(0, subject.length - suffix.length);
    return { outcome: 'match', value: item, numeric: [Text.tainted(subject), Text.tainted(variable)] };
  };
}

/** `^…`: a regular expression, the circumflex included. As in Exim, `$0` is all of the subject. */
export function regexTest(item: Text): ItemTest {
  return ({ original, caseful }) => {
    const answer = matchRegex(item, original, !caseful);
    if (answer.outcome !== 'match' || answer.numeric === undefined) return answer;
    return { ...answer, numeric: [...whole(original), ...answer.numeric.slice(1)] };
  };
}

/** Matches a subject; sets the captures. What cannot be compiled or goes over a limit defers. */
export function matchRegex(item: Text, subject: string, caseless: boolean): ItemAnswer {
  try {
    const found = regex(item.value, { caseless }).match(subject);
    if (found === undefined) return noMatch;
    const numeric = found.groups.map((group) => (group === undefined ? Text.empty : Text.tainted(group)));
    return { outcome: 'match', value: item, numeric };
  } catch (error) {
    if (error instanceof RegexSyntaxError) {
      return {
        outcome: 'defer',
        message: `regular expression error in "${item.value}": ${error.message} at offset ${error.offset}`,
        fault: true,
      };
    }
    if (error instanceof RegexLimit) return { outcome: 'defer', message: error.message };
    throw error;
  }
}

/** `$0`, which is what was matched. */
export const whole = (subject: string): readonly Text[] => [Text.tainted(subject)];

export function literalTest(item: Text): ItemTest {
  const lowered = lower(item.value);
  return ({ text, original, caseful }) => {
    const equal = caseful ? original === item.value : lower(text) === lowered;
    return equal ? { outcome: 'match', value: item, numeric: whole(caseful ? original : text) } : noMatch;
  };
}

/** An item that looks something up. */
export interface LookupParts {
  readonly type: string;
  /** Whether the type stands in the configuration; one from outside is not obeyed. */
  readonly isTypeClean: boolean;
  readonly rest: Text;
}

/** `type;file` or `type;query`; nothing when the item has no semicolon, or what stands before it is no type. */
export function lookupParts(item: Text): LookupParts | undefined {
  const semicolon = item.value.indexOf(';');
  if (semicolon <= 0 || !/^[A-Za-z0-9_(]/.test(item.value)) return undefined;
  const rest = item.slice(semicolon + 1);
  const blanks = /^[ \t-\r]*/.exec(rest.value)?.[0].length ?? 0;
  const type = item.slice(0, semicolon + 1);
  const name = trimEnd(item.value.slice(0, semicolon));
  return /[ \t-\r]/.test(name) ? undefined : { type: name, isTypeClean: type.isClean, rest: rest.slice(blanks) };
}

/** Looks `key` up as an item of a list does; the value is the data that was found. */
export function lookUp({ type, isTypeClean, rest }: LookupParts, key: string, context: Context): Eventual<ItemAnswer> {
  if (!isTypeClean) return { outcome: 'defer', message: `Tainted search type '${type}' in a list` };
  const style = context.services.lookupStyle(type);
  if ('error' in style) return { outcome: 'defer', message: style.error, fault: true };
  const keyText = style.style === 'single-key' ? Text.tainted(key) : undefined;
  return then(context.services.lookup({ type, key: keyText, fileOrQuery: rest }, context), (answer): ItemAnswer => {
    switch (answer.outcome) {
      case 'found':
        return {
          outcome: 'match',
          value: answer.value,
          numeric: answer.wild ? [...whole(key), answer.wild, answer.fixed ?? Text.empty] : whole(key),
        };
      case 'not found':
        return noMatch;
      default:
        return { outcome: 'defer', message: answer.message };
    }
  });
}

/** The patterns that domains and local parts have in common. */
export function stringTest(item: Text): ItemTest {
  const { value } = item;
  if (value.startsWith('^')) return regexTest(item);
  if (value.startsWith('*')) return suffixTest(item);
  const lookup = lookupParts(item);
  if (lookup !== undefined) {
    return ({ text, original, caseful }, context) => lookUp(lookup, caseful ? original : text, context);
  }
  return literalTest(item);
}
