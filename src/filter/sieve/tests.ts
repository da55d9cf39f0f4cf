/**
 * The tests of Sieve (RFC 5228 §5), one row each. A test is read and evaluated at once; one that is not to be evaluated
 * is read all the same, so that mistakes are found in it, and is false. As in Exim, all tests of a list are evaluated.
 */

import { lower } from '../../lib/octets.ts';
import { type AddressPart, matchesAny, partOf, readMatching } from './matching.ts';
import { notifyMethodCapability, validNotifyMethod } from './notify-tests.ts';
import type { SieveState } from './state.ts';

type Test = (state: SieveState, isRun: boolean) => boolean;

/** Header fields that have addresses, as Exim has them. */
const addressHeaders = new Set(['from', 'to', 'cc', 'bcc', 'sender', 'resent-from', 'resent-to']);

const fieldName = /^[\x21-\x39\x3b-\xff]+$/;
/** Exim also takes a name with its colon in `exists`. */
const existingName = /^[\x21-\x39\x3b-\xff]*(?::[ \t\r\n]*)?$/;

const header: Test = (state, isRun) => {
  const matching = readMatching(state, false);
  const names = state.reader.stringList('header string list expected');
  const keys = state.reader.stringList('key string list expected');
  return names.some((name) => {
    if (!fieldName.test(name)) throw state.reader.mistake('invalid header field');
    if (!isRun) return false;
    const value = state.message.header(name);
    return value !== undefined && matchesAny(state, matching, keys, value);
  });
};

const address: Test = (state, isRun) => {
  const matching = readMatching(state, true);
  const names = state.reader.stringList('header string list expected');
  const keys = state.reader.stringList('key string list expected');
  return names.some((name) => {
    if (!addressHeaders.has(lower(name))) throw state.reader.mistake('invalid header field');
    if (!isRun) return false;
    return state.message.addresses(name).some((found) => {
      const part = partOf(matching.part, found);
      return part !== undefined && matchesAny(state, matching, keys, part);
    });
  });
};

/** The recipient as the router sees it: user and detail are what its options say. */
function recipientPart(part: AddressPart, { request, facts }: SieveState): string | undefined {
  const [own = ''] = request.ownAddresses;
  if (part === 'user' && facts.userAddress !== undefined) return facts.userAddress;
  return part === 'detail' ? facts.subaddress : partOf(part, own);
}

const envelopeParts: ReadonlyMap<string, (part: AddressPart, state: SieveState) => string | undefined> = new Map([
  ['from', (part: AddressPart, { message }: SieveState) => partOf(part, message.sender)],
  ['to', recipientPart],
]);

const envelope: Test = (state, isRun) => {
  state.require('envelope');
  const matching = readMatching(state, true);
  const names = state.reader.stringList('envelope string list expected');
  const keys = state.reader.stringList('key string list expected');
  return names.some((name) => {
    const read = envelopeParts.get(lower(name));
    if (read === undefined) throw state.reader.mistake('invalid envelope string');
    const found = isRun ? read(matching.part, state) : undefined;
    return found !== undefined && matchesAny(state, matching, keys, found);
  });
};

const exists: Test = (state, isRun) => {
  const names = state.reader.stringList('header string list expected');
  if (!isRun) return false;
  return names.every((name) => {
    if (!existingName.test(name)) throw state.reader.mistake('header string expansion failed');
    return state.message.has(name.replace(/:.*$/s, ''));
  });
};

const size: Test = (state) => {
  const { reader, message } = state;
  reader.skip();
  const relation = reader.takeTag(['over', 'under']);
  if (relation === undefined) throw reader.mistake('missing :over or :under');
  reader.skip();
  const limit = reader.number();
  return relation === 'over' ? message.size > limit : message.size < limit;
};

function readTests(state: SieveState, isRun: boolean): readonly boolean[] {
  const { reader } = state;
  reader.skip();
  if (!reader.take('(')) throw reader.mistake('missing test list');
  const results: boolean[] = [];
  do {
    results.push(readTest(state, isRun));
    reader.skip();
  } while (reader.take(','));
  if (!reader.take(')')) throw reader.mistake('missing closing paren');
  return results;
}

const tests: ReadonlyMap<string, Test> = new Map<string, Test>([
  ['address', address],
  ['allof', (state, isRun) => readTests(state, isRun).every(Boolean)],
  ['anyof', (state, isRun) => readTests(state, isRun).some(Boolean)],
  ['envelope', envelope],
  ['exists', exists],
  ['false', () => false],
  ['header', header],
  ['not', (state, isRun) => !readTest(state, isRun)],
  ['notify_method_capability', notifyMethodCapability],
  ['size', size],
  ['true', () => true],
  ['valid_notify_method', validNotifyMethod],
]);

/** Reads a test. @throws SieveMistake */
export function readTest(state: SieveState, isRun: boolean): boolean {
  const { reader } = state;
  reader.skip();
  const name = reader.nextWord;
  const test = name === undefined ? undefined : tests.get(name);
  if (name === undefined || test === undefined) throw reader.mistake('missing test');
  reader.takeWord(name);
  return state.deeper(() => test(state, isRun));
}
