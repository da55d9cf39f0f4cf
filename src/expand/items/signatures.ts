/** Addresses with a signature and a date in them: prvs and prvscheck (Exim spec 44.53), srs_encode (Exim spec 58.5). */

import { createHmac } from 'node:crypto';
import * as clock from '../../lib/clock.ts';
import { type Eventual, lastly, then } from '../../lib/eventual.ts';
import { lower } from '../../lib/octets.ts';
import { dequoteLocalPart, parseAddress, quoteLocalPart } from '../../mail/address.ts';
import { Text } from '../../safe/taint.ts';
import type { Context } from '../context.ts';
import { evaluateAll, type Item, plainItem } from '../evaluate.ts';
import { fail } from '../failure.ts';
import { keep } from '../kept.ts';
import { ParseProblem } from '../reader.ts';

/** Days since 1970. */
const today = (): number => Math.floor(clock.seconds() / 86_400);

function digest(algorithm: 'md5' | 'sha1', secret: string, text: string): string {
  return createHmac(algorithm, Buffer.from(secret, 'latin1')).update(Buffer.from(text, 'latin1')).digest('hex');
}

/** The tag of a prvs address: key number, day of expiry modulo 1000, and three octets of the signature. */
function prvsHash(address: string, secret: string, key: string, day: string): string {
  return digest('sha1', secret, `${key}${day}${address}`).slice(0, 6);
}

const prvsDays = 7;

const prvs = plainItem({
  name: 'prvs',
  doc: 'an address with a signature (BATV)',
  minimum: 2,
  maximum: 3,
  evaluate: ([address = Text.empty, secret = Text.empty, number], _context) => {
    const at = address.value.lastIndexOf('@');
    if (at < 1 || at === address.value.length - 1) return fail('prvs first argument must be a qualified email address');
    const key = number?.value ?? '0';
    if (!/^\d$/.test(key)) return fail('prvs third argument must be a single digit');
    const day = String((today() + prvsDays) % 1000).padStart(3, '0');
    const tag = `${key}${day}${prvsHash(address.value, secret.value, key, day)}`;
    return Text.join([Text.configured(`prvs=${tag}=`), address]);
  },
});

/** Whether the day of expiry is still to come. Days count modulo 1000: near the end, small ones are of the next round. */
function isCurrent(day: number): boolean {
  const now = today() % 1000;
  return day >= now || now - day > 900;
}

/** What stands in an address of the form `prvs=KDDDSSSSSS=address`. */
const signed = /^prvs=(\d)(\d\d\d)([0-9A-F]{6})=([^@]+)@(.+)$/is;

const prvscheck: Item = {
  name: 'prvscheck',
  doc: 'the address without its signature, which is checked',
  parse(reader) {
    const address = reader.someArguments('prvscheck', 1, 1);
    const secret = reader.within(address, () => reader.someArguments('prvscheck', 1, 1));
    const read = [...address, ...secret];
    const result = reader.within(read, () => reader.someArguments('prvscheck', 0, 1));
    const all = [...read, ...result];
    reader.skipBlanks();
    if (reader.next === '{') throw new ParseProblem("Too many arguments for 'prvscheck' (max is 1)", all);
    if (!reader.accept('}')) throw new ParseProblem("missing '}' after 'prvscheck'", all);
    return { words: [], arguments: all };
  },
  compile(node, compiler) {
    const [address, secret, result] = node.arguments.map((argument) => compiler.text(argument));
    if (address === undefined || secret === undefined) throw new Error('prvscheck without its parts');
    const other = result ?? (() => Text.empty);
    return (context) =>
      then(address(context), (text): Eventual<Text> => {
        const found = signed.exec(text.value);
        if (found === null) return then(evaluateAll([secret, other], context), () => Text.empty);
        const [, key = '', day = '', hash = '', localPart = '', domain = ''] = found;
        const decoded = Text.derived(`${localPart}@${domain}`, text);
        return withVariables(context, decoded, Text.derived(key, text), () =>
          then(secret(context), (secretText) => {
            const isRight = prvsHash(decoded.value, secretText.value, key, day) === lower(hash);
            keep(context, 'prvscheck_result', isRight && isCurrent(Number(day)) ? Text.configured('1') : undefined);
            return then(other(context), (value) => (value.value === '' ? decoded : value));
          }),
        );
      });
  },
};

function withVariables(context: Context, address: Text, key: Text, work: () => Eventual<Text>): Eventual<Text> {
  const { numeric } = context.results;
  keep(context, 'prvscheck_address', address);
  keep(context, 'prvscheck_keynum', key);
  context.results.numeric = [address, key];
  return lastly(work, () => {
    keep(context, 'prvscheck_address', undefined);
    keep(context, 'prvscheck_keynum', undefined);
    context.results.numeric = numeric;
  });
}

const digits32 = 'abcdefghijklmnopqrstuvwxyz234567';

/** Days that an SRS address lives. */
const srsDays = 10;

const srsHash = (secret: string, address: string): string => digest('md5', secret, lower(address)).slice(0, 4);

const srsEncode = plainItem({
  name: 'srs_encode',
  doc: 'a return path that leads back to this host (SRS)',
  minimum: 3,
  maximum: 3,
  evaluate: (args) => {
    const [secret = Text.empty, address = Text.empty, domain = Text.empty] = args;
    if (address.value === '') return Text.empty;
    const parsed = parseAddress(address.value, { allowDomainLiterals: true });
    if ('error' in parsed) return fail(parsed.error);
    const day = today() % 1024;
    const stamp = `${digits32[day >> 5]}${digits32[day & 31]}`;
    const hash = srsHash(secret.value, address.value);
    const localPart = `SRS0=${hash}=${stamp}=${parsed.domain ?? ''}=${dequoteLocalPart(parsed.localPart)}`;
    return Text.derivedFrom(`${quoteLocalPart(localPart)}@${domain.value}`, args);
  },
});

/**
 * The address in an SRS local part, and whether its signature and date are right; without a secret they are not looked
 * at. Nothing for other local parts.
 */
export function decodeSrs(
  localPart: string,
  secret: string,
): { readonly address: string; readonly isRight: boolean } | undefined {
  const found = /^srs0=([^=]+)=([a-z2-7]{2})=([^=]*)=(.*)$/is.exec(localPart);
  if (found === null) return undefined;
  const [, hash = '', stamp = '', domain = '', original = ''] = found;
  const address = `${quoted(original)}@${domain}`;
  if (secret === '') return { address, isRight: true };
  const [high, low] = [digits32.indexOf(stamp[0] ?? ''), digits32.indexOf(stamp[1] ?? '')];
  const age = (((today() - (high * 32 + low)) % 1024) + 1024) % 1024;
  return { address, isRight: high >= 0 && low >= 0 && age <= srsDays && srsHash(secret, address) === hash };
}

const quoted = (localPart: string): string => (localPart === '' ? '' : quoteLocalPart(localPart));

export const signatureItems: readonly Item[] = [prvs, prvscheck, srsEncode];
