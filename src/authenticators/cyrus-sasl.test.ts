import assert from 'node:assert/strict';
import { test } from 'node:test';
import { testContext } from '../lookups/test-context.ts';
import { standardValues } from '../options/table.ts';
import { authenticatorCommonOptions } from './common-options.ts';
import { cyrusSasl } from './cyrus-sasl.ts';
import { cyrusSaslOptions } from './cyrus-sasl-options.ts';

const instance = (mechanism: string) =>
  cyrusSasl.make(
    { ...standardValues(cyrusSaslOptions), server_mech: mechanism },
    standardValues(authenticatorCommonOptions),
  );

test('saslauthd is asked about user and password of PLAIN and LOGIN', async () => {
  const asked: unknown[] = [];
  const base = testContext();
  const context = {
    ...base,
    services: {
      ...base.services,
      authenticate: async (_service: unknown, credentials: { readonly password: string }) => {
        asked.push(credentials);
        return { accepted: credentials.password === 'right' };
      },
    },
  } as unknown as typeof base;
  const answers = ['ann', 'wrong'];
  const ask = async () => ({ outcome: 'text', text: answers.shift() ?? '' }) as const;
  const plain = await instance('PLAIN').examine?.({ initial: '\0ann\0right', ask }, context);
  const login = await instance('LOGIN').examine?.({ initial: undefined, ask }, context);
  const malformed = await instance('PLAIN').examine?.({ initial: 'ann', ask }, context);
  assert.deepEqual([plain?.outcome, login?.outcome, malformed?.outcome], ['accepted', 'refused', 'refused']);
  assert.deepEqual(asked, [
    { user: 'ann', password: 'right', service: 'smtp', realm: '' },
    { user: 'ann', password: 'wrong', service: 'smtp', realm: '' },
  ]);
});

test('other mechanisms are not offered', () => {
  assert.equal(instance('CRAM-MD5').examine, undefined);
});
