/** Whether a condition of a filter is true now (Exim's filter specification 3.22 - 3.30). */

import { lower } from '../lib/octets.ts';
import { type Match, RegexLimit, RegexSyntaxError, regex } from '../lib/regex.ts';
import { addressItems, parseAddress } from '../mail/address.ts';
import { Text } from '../safe/taint.ts';
import { sizeOf } from './exim-number.ts';
import { isPersonal } from './exim-personal.ts';
import { FilterMistake } from './exim-reader.ts';
import type { FilterState } from './exim-state.ts';
import type { Comparison, Condition } from './exim-tree.ts';

type Of<K extends Condition['kind']> = Condition & { readonly kind: K };

/** Who is told what comes out of conditions (`-v`). */
export interface Teller {
  note(text: string): void;
  result(condition: Condition, result: boolean): void;
}

type Tests = {
  readonly [K in Condition['kind']]: (condition: Of<K>, state: FilterState, teller: Teller) => Promise<boolean>;
};

const comparisons: Readonly<Record<Exclude<Comparison, 'matches'>, (subject: string, pattern: string) => boolean>> = {
  begins: (subject, pattern) => subject.startsWith(pattern),
  contains: (subject, pattern) => pattern !== '' && subject.includes(pattern),
  ends: (subject, pattern) => subject.endsWith(pattern),
  is: (subject, pattern) => subject === pattern,
};

async function compare(condition: Of<Exclude<Comparison, 'matches'>>, state: FilterState): Promise<boolean> {
  const { kind, left, right, caseful } = condition;
  const [subject, pattern] = [(await state.expand(left)).value, (await state.expand(right)).value];
  return caseful ? comparisons[kind](subject, pattern) : comparisons[kind](lower(subject), lower(pattern));
}

async function matches({ left, right, caseful }: Of<'matches'>, state: FilterState, teller: Teller): Promise<boolean> {
  const subject = await state.expand(left);
  const pattern = (await state.expand(right)).value;
  teller.note(`Match expanded arguments:\n   Subject = ${subject.value}\n   Pattern = ${pattern}`);
  const found = matchOf(pattern, subject.value, caseful);
  if (found === undefined) return false;
  const { results } = state.request.context;
  results.numeric = found.groups.map((group) => (group === undefined ? Text.empty : Text.derived(group, subject)));
  return true;
}

function matchOf(pattern: string, subject: string, caseful: boolean): Match | undefined {
  try {
    return regex(pattern, { caseless: !caseful }).match(subject);
  } catch (error) {
    if (error instanceof RegexSyntaxError) {
      throw new FilterMistake(
        `error while compiling regular expression "${pattern}": ${error.message} at offset ${error.offset}`,
      );
    }
    if (error instanceof RegexLimit) throw new FilterMistake(error.message);
    throw error;
  }
}

async function numbers({ left, right }: Of<'above' | 'below'>, state: FilterState): Promise<[number, number]> {
  const number = async (text: Text): Promise<number> => {
    const { value } = await state.expand(text);
    const size = sizeOf(value);
    if (size === undefined) throw new FilterMistake(`malformed numerical string "${value}"`);
    return size;
  };
  return [await number(left), await number(right)];
}

/** Addresses that one test looks at. */
const mostAddresses = 10_000;

async function foranyaddress(
  { list, condition }: Of<'foranyaddress'>,
  state: FilterState,
  teller: Teller,
): Promise<boolean> {
  const text = await state.expand(list);
  for (const { start, end } of addressItems(text.value).slice(0, mostAddresses)) {
    const parsed = parseAddress(text.value.slice(start, end).replace(/\n/g, ' '), { allowDomainLiterals: 'any' });
    if ('error' in parsed || parsed.address === '') continue;
    teller.note(`Extracted address ${parsed.address}`);
    state.facts.thisAddress = Text.derived(parsed.address, text);
    if (await isTrue(condition, state, teller)) return true;
  }
  return false;
}

async function personal({ aliases }: Of<'personal'>, state: FilterState): Promise<boolean> {
  const own = new Set(state.request.ownAddresses.map(lower));
  for (const alias of aliases) own.add(lower((await state.expand(alias)).value));
  return isPersonal(own, state.request.context);
}

const tests: Tests = {
  and: async ({ left, right }, state, teller) =>
    (await isTrue(left, state, teller)) && (await isTrue(right, state, teller)),
  or: async ({ left, right }, state, teller) =>
    (await isTrue(left, state, teller)) || (await isTrue(right, state, teller)),
  delivered: async (_, { significant }) => significant,
  error_message: async (_, { request }) => (request.context.message?.sender ?? '') === '',
  first_delivery: async (_, { request }) => request.firstDelivery,
  manually_thawed: async (_, { request }) => request.manuallyThawed,
  personal,
  foranyaddress,
  above: async (condition, state) => {
    const [left, right] = await numbers(condition, state);
    return left > right;
  },
  below: async (condition, state) => {
    const [left, right] = await numbers(condition, state);
    return left < right;
  },
  begins: compare,
  contains: compare,
  ends: compare,
  is: compare,
  matches,
};

export async function isTrue(condition: Condition, state: FilterState, teller: Teller): Promise<boolean> {
  state.step();
  const test = tests[condition.kind] as (of: Condition, state: FilterState, teller: Teller) => Promise<boolean>;
  const result = (await test(condition, state, teller)) !== condition.negated;
  teller.result(condition, result);
  return result;
}
