/** The two sides of each mechanism, one against the other and against peers that do not play fair. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compileTemplate } from '../expand/expand.ts';
import { testContext } from '../lookups/test-context.ts';
import { standardValues } from '../options/table.ts';
import type { AuthenticatorSides, ServerTurn } from './authenticator.ts';
import { authenticatorCommonOptions } from './common-options.ts';
import { gsasl } from './gsasl.ts';
import { gsaslOptions } from './gsasl-options.ts';
import { logIn } from './test-login.ts';

type Texts = Readonly<Record<string, string>>;

/** An instance with these options; `server_condition` is one of all authenticators. */
function instance(mechanism: string, texts: Texts): AuthenticatorSides {
  const compiled = Object.fromEntries(Object.entries(texts).map(([name, text]) => [name, compileTemplate(text)]));
  const condition = compiled['server_condition'];
  return gsasl.make(
    { ...standardValues(gsaslOptions), ...compiled, server_mech: mechanism },
    { ...standardValues(authenticatorCommonOptions), server_condition: condition },
  );
}

const secret: Texts = { server_password: 'pass', server_condition: '${if eq{$auth1}{ann}}' };
const ann: Texts = { client_username: 'ann', client_password: 'pass' };

test('all mechanisms with passwords let in who knows it, and nobody else', async () => {
  for (const mechanism of ['PLAIN', 'LOGIN', 'CRAM-MD5', 'SCRAM-SHA-1', 'SCRAM-SHA-256']) {
    const server = instance(mechanism, secret);
    const good = await logIn(server, instance(mechanism, ann));
    assert.deepEqual([good.server.outcome, good.client.outcome], ['accepted', 'accepted'], mechanism);
    assert.equal(good.values[0], 'ann');
    const bad = await logIn(server, instance(mechanism, { ...ann, client_password: 'guess' }));
    assert.deepEqual([bad.server.outcome, bad.client.outcome], ['refused', 'refused'], mechanism);
    const other = await logIn(server, instance(mechanism, { ...ann, client_username: 'bob' }));
    assert.equal(other.server.outcome, 'refused', mechanism);
  }
});

test('EXTERNAL and ANONYMOUS are decided by the condition alone', async () => {
  for (const mechanism of ['EXTERNAL', 'ANONYMOUS']) {
    const server = instance(mechanism, { server_condition: '${if eq{$auth1}{ann}}' });
    const good = instance(mechanism, { client_username: 'ann', client_authz: 'ann' });
    assert.equal((await logIn(server, good)).server.outcome, 'accepted', mechanism);
    const bad = instance(mechanism, { client_username: 'bob', client_authz: 'bob' });
    assert.equal((await logIn(server, bad)).server.outcome, 'refused', mechanism);
  }
});

test('a mechanism that nothing decides is not offered, nor one that is unknown', () => {
  assert.equal(instance('PLAIN', {}).examine, undefined);
  assert.equal(instance('EXTERNAL', { server_password: 'x' }).examine, undefined);
  assert.equal(instance('SCRAM-SHA-1', { server_condition: 'yes' }).examine, undefined);
  assert.equal(instance('SCRAM-SHA-1-PLUS', secret).examine, undefined);
  assert.equal(instance('GSSAPI', { ...secret, ...ann }).logIn, undefined);
});

test('SCRAM goes with stored keys, with names that hold commas, and for somebody else', async () => {
  // made of "pencil" as in the example of RFC 7677
  const stored = instance('SCRAM-SHA-256', {
    server_scram_salt: 'W22ZaJ0SNY7soEsUEjb6gQ==',
    server_key: 'wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU=',
    server_skey: 'WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=',
  });
  const client = instance('SCRAM-SHA-256', {
    client_username: 'a,b=c',
    client_password: 'pencil',
    client_authz: 'boss',
  });
  const { server, client: verdict, values } = await logIn(stored, client);
  assert.deepEqual([server.outcome, verdict.outcome], ['accepted', 'accepted']);
  assert.deepEqual(values, ['a,b=c', 'boss', '']);
});

test('a SCRAM client that changes what was said before, or binds to TLS, is refused', async () => {
  const client = instance('SCRAM-SHA-1', ann);
  const spoils: readonly ((text: string, turn: number) => string)[] = [
    (text, turn) => (turn === 0 ? text.replace('n,,', 'y,,') : text),
    (text, turn) => (turn === 0 ? text.replace('n,,', 'p=tls-unique,,') : text),
    (text, turn) => (turn === 1 ? text.replace('r=', 'r=x') : text),
    (text, turn) => (turn === 1 ? text.replace(/p=.*/, 'p=') : text),
    (text, turn) => (turn === 0 ? text.replace('n=ann', 'm=x,n=ann') : text),
  ];
  for (const [i, spoil] of spoils.entries()) {
    const { server } = await logIn(instance('SCRAM-SHA-1', secret), client, spoil);
    assert.equal(server.outcome, 'refused', String(i));
  }
});

test('a SCRAM client does not take a server at its word', async () => {
  const { logIn: work } = instance('SCRAM-SHA-1', ann);
  assert.ok(work);
  const turns: readonly (readonly [challenge: (nonce: string) => string, last: ServerTurn])[] = [
    [(nonce) => `r=${nonce}x,s=QSXCR+Q6sek8bf92,i=4096`, { outcome: 'accepted' }],
    [(nonce) => `r=${nonce}x,s=QSXCR+Q6sek8bf92,i=4096`, { outcome: 'challenge', text: 'v=AAAA', reply: '' }],
    [(nonce) => `r=${nonce}x,s=QSXCR+Q6sek8bf92,i=1`, { outcome: 'accepted' }],
    [(nonce) => `r=${nonce}x,s=QSXCR+Q6sek8bf92,i=99999999`, { outcome: 'accepted' }],
    [() => 'r=other,s=QSXCR+Q6sek8bf92,i=4096', { outcome: 'accepted' }],
    [(nonce) => `r=${nonce},s=QSXCR+Q6sek8bf92,i=4096`, { outcome: 'accepted' }],
  ];
  for (const [challenge, last] of turns) {
    const verdict = await work(
      {
        begin: async (text = '') => {
          const nonce = /r=(.*)$/.exec(text)?.[1] ?? '';
          return { outcome: 'challenge', text: challenge(nonce), reply: '' };
        },
        answer: async () => last,
      },
      testContext(),
    );
    assert.equal(verdict.outcome, 'failed', challenge('N'));
  }
});
