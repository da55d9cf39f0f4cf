/** Address lists (Exim spec 10.20, 10.21). The domain is always compared without regard to case. */

import type { Context } from '../expand/context.ts';
import { type Eventual, then } from '../lib/eventual.ts';
import { lower } from '../lib/octets.ts';
import { splitAddress } from '../mail/address.ts';
import { Text } from '../safe/taint.ts';
import { domainKind, localPartKind } from './domain-list.ts';
import {
  compileList,
  type ItemAnswer,
  type ItemTest,
  type KindOfList,
  matchItems,
  namedListTest,
  type Subject,
} from './list.ts';
import { type LookupParts, lookUp, lookupParts, noMatch, regexTest, withoutValue } from './pattern.ts';

/** The longest chain of `>key` items that is followed. */
const maximumChain = 50;

/** The subject's domain, for an item that tests only that. */
function domainOf(subject: Subject): Subject {
  const domain = lower(splitAddress(subject.text).domain);
  return { text: domain, original: domain, caseful: subject.caseful };
}

/** What an item with a domain tells: as in Exim, as much of it as the local part is long, and what the domain told. */
function valueOf(item: Text, subject: Subject, domain: Text | undefined): Text {
  const start = item.slice(0, splitAddress(subject.text).localPart.length);
  return Text.join([start, Text.configured('@'), domain ?? Text.empty]);
}

function localPartOf(subject: Subject): Subject {
  return {
    text: splitAddress(subject.text).localPart,
    original: splitAddress(subject.original).localPart,
    caseful: subject.caseful,
  };
}

/** `@@type;file`: the domain is looked up and the data is a list of local parts, which may lead on to another key. */
function localPartsByDomain(item: Text): ItemTest {
  const parts = lookupParts(item.slice(2));
  if (parts === undefined) return () => noMatch;
  const follow = (key: string, subject: Subject, context: Context, chain: number): Eventual<ItemAnswer> =>
    then(lookUp(parts, key, context), (answer): Eventual<ItemAnswer> => {
      if (answer.outcome !== 'match' || answer.value === undefined) return answer;
      const more = /(?:^|:)[ \t-\r]*>[ \t-\r]*([^:]*?)[ \t-\r]*$/.exec(answer.value.value);
      const list = more === null ? answer.value : answer.value.slice(0, more.index);
      return then(matchItems(compileList(localPartKind, list), localPartOf(subject), context), (found) => {
        if (found.outcome !== 'no match' || more === null) return found;
        if (chain >= maximumChain) return { outcome: 'defer', message: `too many chained keys in "${item.value}"` };
        return follow(more[1] ?? '', subject, context, chain + 1);
      });
    });
  return (subject, context) => follow(domainOf(subject).text, subject, context, 1);
}

/** `local@domain`: both sides are tested alone. */
function twoSided(item: Text): ItemTest {
  const at = item.value.lastIndexOf('@');
  const localPattern = item.value.slice(0, at);
  const domainTest = domainKind.compile(item.slice(at + 1));
  const lowered = lower(localPattern);
  if (at === item.value.length - 1) return () => noMatch;
  return (subject, context) => {
    const local = localPartOf(subject);
    const wanted = subject.caseful ? localPattern : lowered;
    const actual = subject.caseful ? local.original : lower(local.text);
    const fits = wanted.startsWith('*') ? actual.endsWith(wanted.slice(1)) : actual === wanted;
    if (!fits) return noMatch;
    return then(domainTest(domainOf(subject), context), (answer) => {
      if (answer.outcome !== 'match') return answer;
      // $1 is what the asterisk of the local part stands for, if it has one; then comes what the domain's stands for
      const wild = wanted.startsWith('*') ? [local.original.slice(0, actual.length - wanted.length + 1)] : [];
      const ofLocal = wild.map((text) => Text.tainted(text));
      const ofDomain = answer.numeric?.slice(1) ?? [];
      const numeric = [Text.tainted(subject.original), ...ofLocal, ...ofDomain];
      return { ...answer, value: valueOf(item, subject, answer.value), numeric };
    });
  };
}

/** Items that can match only an address that is there. */
function nonEmpty(test: ItemTest): ItemTest {
  return (subject, context) => (subject.text === '' ? noMatch : test(subject, context));
}

/** As in Exim, what has no domain is none of the addresses of a list. */
function withDomain(test: ItemTest): ItemTest {
  return (subject, context) =>
    subject.text !== '' && !subject.isText && !subject.text.includes('@') ? noMatch : test(subject, context);
}

/** Tests the domain alone. */
function domainOnly(item: Text): ItemTest {
  const test = domainKind.compile(item);
  return nonEmpty((subject, context) =>
    then(test(domainOf(subject), context), (answer) =>
      answer.outcome === 'match' ? { ...answer, value: valueOf(Text.empty, subject, answer.value) } : answer,
    ),
  );
}

/** `type;file`: the whole address is the key, which has no parts; as in Exim, there may be nothing in it. */
function lookupTest(parts: LookupParts): ItemTest {
  const whole = { ...parts, type: parts.type.replace(/^partial\d*-/, '') };
  return (subject, context) => lookUp(whole, subject.text, context);
}

function addressTest(item: Text): ItemTest {
  const { value } = item;
  if (value.startsWith('^')) {
    const test = regexTest(item);
    return (subject, context) => then(test(subject, context), withoutValue);
  }
  if (value.startsWith('@@')) return nonEmpty(localPartsByDomain(item));
  const lookup = lookupParts(item);
  // as in Exim, types with options or affixes are for domains
  if (lookup !== undefined && /^[A-Za-z0-9_*-]+@?$/.test(lookup.type)) return lookupTest(lookup);
  return value.includes('@') ? nonEmpty(twoSided(item)) : domainOnly(item);
}

export const addressKind: KindOfList = {
  kind: 'address',
  fileComment: /(?:^|[ \t-\r])#.*$/,
  controls: new Set(['+caseful']),
  compile(item) {
    const { value } = item;
    if (value === '') return ({ text }) => (text === '' ? { outcome: 'match', value: item } : noMatch);
    return value.startsWith('+') ? namedListTest(addressKind, value.slice(1)) : withDomain(addressTest(item));
  },
  ofFile: (answer, line) =>
    answer.outcome === 'match' && !line.value.includes(';') ? { ...answer, value: line } : answer,
};
