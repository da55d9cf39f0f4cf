/** The modifier `udpsend`: what arrives, and what is wrong, as with Exim 4.96. */

import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { test } from 'node:test';
import { Text } from '../../safe/taint.ts';
import { testRun } from '../test-run.ts';
import { udpsend } from './udpsend.ts';

/** Sends to a socket of the test; PORT in the text is its port. */
async function received(text: string): Promise<string> {
  const socket = createSocket('udp4');
  await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve));
  const packet = new Promise<string>((resolve) =>
    socket.once('message', (octets) => resolve(octets.toString('latin1'))),
  );
  const setting = text
    .replace('PORT', String(socket.address().port))
    .replace('WRAPPED', String(socket.address().port + 65_536));
  const { run } = testRun();
  try {
    assert.equal(await udpsend.apply(Text.tainted(setting), run, ''), undefined);
    return await packet;
  } finally {
    socket.close();
  }
}

const sent: readonly (readonly [setting: string, content: string])[] = [
  ['127.0.0.1:PORT:hello:there', 'hello:there'],
  ['127.0.0.1:PORT:a::b', 'a::b'],
  ['<; 127.0.0.1 ; PORT ;  two  words ; x', '  two  words ; x'],
  ['127.0.0.1:PORT', ''],
  ['127.0.0.1:PORT:', ''],
  ['127.0.0.1:WRAPPED:big', 'big'],
  ['127.0.0.1:PORT:\xff\x00', '\xff\x00'],
];

for (const [setting, content] of sent) {
  test(`udpsend = ${JSON.stringify(setting)}`, async () => assert.equal(await received(setting), content));
}

const wrong: readonly (readonly [setting: string, problem: object])[] = [
  ['', { error: 'missing destination host in "udpsend" modifier' }],
  ['a', { error: 'missing destination port in "udpsend" modifier' }],
  ['127.0.0.1:x:y', { error: 'bad destination port in "udpsend" modifier' }],
  ['127.0.0.1:discard:x', { error: 'bad destination port in "udpsend" modifier' }],
  ['nosuch.invalid:9:hi', { defer: 'DNS lookup failed in "udpsend" modifier' }],
];

for (const [setting, problem] of wrong) {
  test(`udpsend = ${setting} is wrong`, async () => {
    const { run } = testRun();
    const services = { ...run.context.services, hostAddresses: () => ({ outcome: 'unknown', message: '' }) as const };
    const context = { ...run.context, services };
    assert.deepEqual(await udpsend.apply(Text.tainted(setting), { ...run, context }, ''), problem);
  });
}

test('port 0 is silence', async () => {
  assert.equal(await udpsend.apply(Text.tainted('127.0.0.1:0:z'), testRun().run, ''), undefined);
});
