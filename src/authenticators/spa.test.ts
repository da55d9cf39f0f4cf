/** NTLM: what Exim 4.96 says and understands, the two sides against each other, and peers that do not play fair. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compileTemplate } from '../expand/expand.ts';
import { testContext } from '../lookups/test-context.ts';
import { standardValues } from '../options/table.ts';
import type { AuthenticatorSides, ServerTurn } from './authenticator.ts';
import { authenticatorCommonOptions } from './common-options.ts';
import {
  authentication,
  challengeMessage,
  lanManagerAnswer,
  negotiation,
  ntAnswer,
  readAuthentication,
  readChallenge,
} from './ntlm.ts';
import { spa } from './spa.ts';
import { spaOptions } from './spa-options.ts';
import { logIn } from './test-login.ts';

const hex = (text: string): string => Buffer.from(text, 'latin1').toString('hex');
const octets = (text: string): string => Buffer.from(text, 'hex').toString('latin1');

type Texts = Readonly<Record<string, string>>;

function instance(texts: Texts): AuthenticatorSides {
  const compiled = Object.fromEntries(Object.entries(texts).map(([name, text]) => [name, compileTemplate(text)]));
  return spa.make(
    { ...standardValues(spaOptions), ...compiled },
    { ...standardValues(authenticatorCommonOptions), server_condition: compiled['server_condition'] },
  );
}

test('the answers of the documentation come out (MS-NLMP §4.2.2.2)', () => {
  const challenge = Buffer.from('0123456789abcdef', 'hex');
  const nt = '67c43011f30298a2ad35ece64f16331c44bdbed927841f94';
  assert.equal(ntAnswer('Password', challenge).toString('hex'), nt);
  const lanManager = '98def7b87f88aa5dafe2df779688a172def11c7d5ccdef13';
  assert.equal(lanManagerAnswer('Password', challenge).toString('hex'), lanManager);
});

test('the messages are those of Exim as a client of itself', () => {
  assert.equal(hex(negotiation('joe', '')), '4e544c4d535350000100000007b20000030003002000000000000000230000006a6f65');
  assert.equal(
    hex(negotiation('joe', 'DOM')),
    '4e544c4d535350000100000007b20000030003002000000003000300230000006a6f65444f4d',
  );
  const said = '4e544c4d5353500002000000000000000028000001820000cdcc6b979af74c0100000000000000000000000000000000';
  const challenge = readChallenge(octets(said));
  assert.ok(challenge);
  assert.equal(
    hex(authentication('joe', '', 'secret', challenge)),
    '4e544c4d535350000300000018001800400000001800180058000000000000007000000006000600700000000600060076000000000000007c00' +
      '0000018200000f409ad760cf6cfe944a74e0d12503106c8f21e8a52300ee7969de0049056c8c4683768969e20bddc8bc9c7f1c0a362f' +
      '6a006f0065006a006f006500',
  );
});

const server: Texts = { server_password: '${if eq{$auth1}{joe}{secret}{${if eq{1}{2}{x}fail}}}' };
const joe = { client_username: 'joe', client_password: 'secret' };

test('who knows the password is let in, and nobody else', async () => {
  for (const [client, outcome] of [
    [joe, 'accepted'],
    [{ ...joe, client_username: 'joe@dom' }, 'accepted'],
    [{ ...joe, client_domain: 'dom' }, 'accepted'],
    [{ ...joe, client_password: 'Secret' }, 'refused'],
    [{ ...joe, client_username: 'ann' }, 'refused'],
  ] as const) {
    const { server: verdict, client: own, values } = await logIn(instance(server), instance(client));
    assert.deepEqual([verdict.outcome, own.outcome], [outcome, outcome], JSON.stringify(client));
    assert.deepEqual(values, [String(client.client_username).replace('@dom', '')]);
  }
});

test('the condition decides about who knows the password', async () => {
  const strict = instance({ ...server, server_condition: '${if eq{$auth1}{ann}}' });
  assert.equal((await logIn(strict, instance(joe))).server.outcome, 'refused');
});

test('a password that cannot be told is for later; a client option that is forced to fail leaves the server alone', async () => {
  const unknown = instance({ server_password: '${readfile{/nosuch/file}}' });
  assert.equal((await logIn(unknown, instance(joe))).server.outcome, 'deferred');
  const forced = '${if eq{1}{2}{x}fail}';
  for (const name of Object.keys(joe)) {
    const { logIn: work } = instance({ ...joe, [name]: forced });
    const silent = async (): Promise<ServerTurn> => assert.fail('nothing is said');
    assert.deepEqual(await work?.({ begin: silent, answer: silent }, testContext()), { outcome: 'skipped' });
  }
});

test('the side that has no options is not there', () => {
  assert.equal(instance(joe).examine, undefined);
  assert.equal(instance(server).logIn, undefined);
  assert.equal(instance({ client_username: 'joe' }).logIn, undefined);
});

test('a last message with one bit changed lets nobody in, but where nothing depends on it', async () => {
  // the answer for LAN Manager, its place, the workstation and the flags are not looked at
  const idle = (at: number): boolean =>
    (at >= 12 && at < 20) ||
    (at >= 28 && at < 36) ||
    (at >= 44 && at < 88) ||
    at >= 118 ||
    [22, 23, 38, 39].includes(at);
  for (let at = 0; at < 124; at++) {
    const spoil = (text: string, turn: number): string => {
      const message = Buffer.from(text, 'latin1');
      if (turn === 1) message[at] = (message[at] ?? 0) ^ 0x20;
      return message.toString('latin1');
    };
    const { server: verdict } = await logIn(instance(server), instance(joe), spoil);
    assert.equal(verdict.outcome, idle(at) ? 'accepted' : 'refused', `octet ${at}`);
  }
});

test('messages that are cut off, or point to where nothing is, are none', () => {
  const challenge = Buffer.alloc(8, 7);
  const last = authentication('joe', 'dom', 'secret', { challenge, flags: 0, domain: '' });
  for (let length = 0; length < last.length - 6; length++) {
    const cut = readAuthentication(last.slice(0, length));
    assert.ok(cut === undefined || cut.user === 'joe', `${length} octets`);
  }
  for (const at of [24, 40]) {
    const far = Buffer.from(last, 'latin1');
    far.writeUInt32LE(0xffff_fff0, at);
    assert.equal(readAuthentication(far.toString('latin1')), undefined);
  }
  const asked = challengeMessage(challenge);
  assert.deepEqual(readChallenge(asked)?.challenge, challenge);
  for (let length = 0; length < 32; length++) assert.equal(readChallenge(asked.slice(0, length)), undefined);
  assert.equal(readChallenge(last), undefined);
});

test('a client does not answer what is no challenge', async () => {
  const { logIn: work } = instance(joe);
  for (const text of ['', 'hello', octets('4e544c4d53535000030000'), undefined]) {
    let said = 0;
    const verdict = await work?.(
      {
        begin: async () => ({ outcome: 'challenge', text: undefined, reply: 'NTLM supported' }),
        answer: async () => {
          said++;
          return { outcome: 'challenge', text, reply: '334 x' };
        },
      },
      testContext(),
    );
    assert.equal(verdict?.outcome, 'failed');
    assert.equal(said, 1);
  }
});
