/** The condition `ratelimit` with a clock that the test sets. The rates are those that Exim 4.96 told in the same case. */

import assert from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'node:test';
import { stopClock } from '../../lib/clock.ts';
import { TestDirectory } from '../../lib/test-directory.ts';
import type { AclRun, ConditionAnswer } from '../acl.ts';
import { type TestRunOptions, testRun } from '../test-run.ts';
import { ratelimit } from './ratelimit.ts';

const start = 1_800_000_000_000;
let directory: TestDirectory;
let opened: AclRun[] = [];

beforeEach(() => {
  directory = new TestDirectory();
  stopClock(start);
});

afterEach(() => {
  for (const run of opened) run.services.rates.close();
  opened = [];
  stopClock(undefined);

  for (const name of ['ratelimit.sqlite', 'ratelimit.lockfile']) directory.removeFileIn('db', name);
  directory.remove();
});

function newRun(options: TestRunOptions = {}): AclRun {
  const { run } = testRun({ ...options, directory });
  opened.push(run);
  return run;
}

async function rate(text: string, run = newRun()): Promise<string> {
  const answer: ConditionAnswer = await ratelimit.test(text, run);
  return `${run.context.acl?.rate?.rate} ${typeof answer === 'string' ? answer : JSON.stringify(answer)}`;
}

test('the first event is a rate of one, which is not below a limit of one', async () => {
  assert.equal(await rate('1/1h'), '1.0 true');
  assert.equal(await rate('2/1h'), '1.0 false');
});

test('the limit and the period are told as they were written', async () => {
  const run = newRun();
  await ratelimit.test(' 0.0K / 60m / k', run);
  assert.deepEqual(run.context.acl?.rate, { rate: '1.0', limit: '0.0K', period: '60m' });
});

test('events at the same time add up, and fade by e in a period', async () => {
  assert.equal(await rate('9/4s/strict/k'), '1.0 false');
  assert.equal(await rate('9/4s/strict/k'), '2.0 false');
  stopClock(start + 4000);
  assert.equal(await rate('0/4s/readonly/k'), '0.7 true');
});

test('after one period in silence an event leaves the rate of one event in a period', async () => {
  await rate('9/4s/strict/k');
  stopClock(start + 4000);
  assert.equal(await rate('9/4s/strict/k'), '1.0 false');
});

test('what goes over a leaky limit is not recorded; a strict one records it', async () => {
  assert.equal(await rate('5/1h/per_cmd/leaky/count=6/k'), '6.0 true');
  assert.equal(await rate('5/1h/per_cmd/leaky/count=5/k'), '5.0 true');
  assert.equal(await rate('5/1h/per_cmd/readonly/k'), '0.0 false');
  assert.equal(await rate('5/1h/per_cmd/strict/count=6/k'), '6.0 true');
  assert.equal(await rate('5/1h/per_cmd/readonly/k'), '6.0 true');
});

test('a message is counted once however often its ACLs ask, a recipient for each RCPT, a command each time', async () => {
  const run = newRun();
  assert.equal(await rate('9/1h/k', run), '1.0 false');
  assert.equal(await rate('9/1h/k', run), '1.0 false');
  assert.equal(await rate('9/1h/per_rcpt/k', run), '1.0 false');
  const next = { ...run, measured: { ...run.measured, recipient: new Map() } };
  assert.equal(await rate('9/1h/k', next), '1.0 false');
  assert.equal(await rate('9/1h/per_rcpt/k', next), '2.0 false');
  assert.equal(await rate('9/1h/per_cmd/k', next), '1.0 false');
  assert.equal(await rate('9/1h/per_cmd/k', next), '2.0 false');
});

test('different recipients are counted once in each period', async () => {
  assert.equal(await rate('9/1h/per_addr/k'), '1.0 false');
  assert.equal(await rate('9/1h/per_addr/k'), '1.0 false');
  assert.equal(await rate('9/1h/per_addr/k', newRun({ recipient: 'v@d.test' })), '2.0 false');
  stopClock(start + 3_600_000);
  // e⁻¹ of two, and the same recipient once more
  assert.equal(await rate('9/1h/per_addr/k'), '1.4 false');
});

test('octets are those of the message, recipients those that were accepted', async () => {
  const run = newRun({ phase: 'DATA' });
  run.context.message = { size: 24, recipientsCount: 3 } as never;
  assert.equal(await rate('9/1h/per_byte/b', run), '24.0 true');
  assert.equal(await rate('9/1h/per_rcpt/r', run), '3.0 false');
});

test('rates survive the end of the process', async () => {
  const run = newRun();
  await rate('9/1h/strict/k', run);
  run.services.rates.close();
  assert.equal(await rate('9/1h/strict/k'), '2.0 false');
});

test('a clock that was set back makes nobody faster than he is', async () => {
  await rate('9/1h/strict/k');
  stopClock(start - 7_200_000);
  assert.equal(await rate('9/1h/strict/k'), '2.0 false');
});
