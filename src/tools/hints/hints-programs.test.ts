/** exim_dumpdb, exim_tidydb and exim_fixdb; the forms are recorded from the real programs. */

import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { CalloutHints } from '../../hints/callout-hints.ts';
import { OfferHints } from '../../hints/offer-hints.ts';
import { RateHints } from '../../hints/rate-hints.ts';
import { RetryHints } from '../../hints/retry-hints.ts';
import { SeenHints } from '../../hints/seen-hints.ts';
import { WaitHints } from '../../hints/wait-hints.ts';
import * as clock from '../../lib/clock.ts';
import { idOf, TestQueue } from '../../mta/test-queue.ts';
import { literal } from '../../safe/taint.ts';
import { dumpdb } from './dumpdb.ts';
import { fixdb } from './fixdb.ts';
import { tidydb } from './tidydb.ts';

const one = '1aaaaa-000001-00';
const gone = '1aaaab-000001-00';
const fail = (error: unknown): never => {
  throw error;
};

let queue: TestQueue;
let spool: string;
beforeEach(async () => {
  queue = await TestQueue.make();
  spool = queue.runtime.places.spoolDirectory;
});
afterEach(() => queue.remove());

function told(run: (terminal: { out(text: string): void; error(text: string): void }) => number): [number, string] {
  let text = '';
  const take = (more: string): void => {
    text += more;
  };
  const status = run({ out: take, error: take });
  return [status, text];
}

async function dialogue(database: string, ...lines: readonly string[]): Promise<string> {
  let text = '';
  const take = (more: string): void => {
    text += more;
  };
  async function* all(): AsyncGenerator<string> {
    yield* lines;
  }
  assert.equal(await fixdb(['-z', spool, database], all(), { out: take, error: take }), 0);
  return text.replaceAll(spool, 'SPOOL').replace(/^> \d\d-\w{3}-\d{4} [\d:]{8}\n0/gm, '> TIME\n0');
}

/** 2 November 2025, 10:00 in UTC. */
const then = 1_762_077_600;
const failed = { firstFailed: then, lastTry: then + 60, nextTry: then + 900, detail: 65, expired: false } as const;

function withRetry(work: (hints: RetryHints) => void): void {
  const hints = new RetryHints(queue.runtime.places.spoolDirectory, undefined, fail);
  work(hints);
  hints.close();
}

describe('exim_dumpdb', () => {
  it('says how it is called, and what is missing', () => {
    const [status, text] = told((terminal) => dumpdb([spool, 'nosuch'], terminal));
    assert.equal(status, 1);
    assert.match(
      text,
      /^Usage: exim_dumpdb \[-z\] \[-k\] {2}<spool-directory> <database-name>\n {2}<database-name> = retry \| misc \| /,
    );
    assert.deepEqual(
      told((terminal) => dumpdb([spool, 'tls'], terminal)),
      [1, `** Failed to open database lock file ${spool}/db/tls.lockfile: No such file or directory\n`],
    );
  });

  it('shows what is tried again, two lines each', () => {
    withRetry((hints) => {
      hints.set('T:h.test:1.2.3.4', { ...failed, code: 111, message: '' });
      hints.set('R:ann@x.test', { ...failed, code: -1, message: 'later on', expired: true });
    });
    const text = `  R:ann@x.test -1 65 later on
02-Nov-2025 10:00:00  02-Nov-2025 10:01:00  02-Nov-2025 10:15:00 *
  T:h.test:1.2.3.4 111 65 Connection refused
02-Nov-2025 10:00:00  02-Nov-2025 10:01:00  02-Nov-2025 10:15:00 
`;
    assert.deepEqual(
      told((terminal) => dumpdb(['-z', spool, 'retry'], terminal)),
      [0, text],
    );
    assert.deepEqual(
      told((terminal) => dumpdb(['-k', spool, 'retry'], terminal)),
      [0, '  R:ann@x.test\n  T:h.test:1.2.3.4\n'],
    );
  });

  it('shows the messages that wait for a host in one line', () => {
    const hints = new WaitHints(queue.runtime.places.spoolDirectory, undefined, fail);
    for (const id of [one, gone]) hints.note('smtp', ['h.test', 'i.test'], idOf(id));
    hints.close();
    assert.deepEqual(
      told((terminal) => dumpdb([spool, 'wait-smtp'], terminal)),
      [0, `h.test ${one} ${gone} \ni.test ${one} ${gone} \n`],
    );
  });

  it('shows answers to callouts, rates, and what was seen', () => {
    const { spoolDirectory } = queue.runtime.places;
    const expiry = { positive: 9999, negative: 9999 };
    const callouts = new CalloutHints(spoolDirectory, undefined, fail);
    callouts.noteAddress('ann@x.test', false, expiry);
    callouts.noteDomain(
      'x.test',
      new Map([
        ['takes bounces', true],
        ['takes anything', false],
      ] as const),
      expiry,
    );
    callouts.close();
    const times = (text: string): string => text.replace(/\d\d-\w{3}-\d{4} [\d:]{8}(?:\.\d{6})?/g, 'TIME');
    assert.equal(
      times(told((terminal) => dumpdb([spool, 'callout'], terminal))[1]),
      'TIME ann@x.test callout=reject\nTIME x.test callout=accept postmaster=unknown random=reject (TIME)\n',
    );
    const rates = new RateHints(spoolDirectory, undefined, fail);
    const now = clock.seconds();
    rates.set('1h/per_mail/k1', { time: now, rate: 2, epoch: now }, 3600);
    rates.set('1h/per_mail/unique/k2', { time: now, rate: 7.5, epoch: now }, 3600);
    rates.count('1h/per_mail/unique/k2', 'foo', now, 3600);
    rates.close();
    assert.equal(
      times(told((terminal) => dumpdb([spool, 'ratelimit'], terminal))[1]),
      'TIME rate:      2.000 key: 1h/per_mail/k1\nTIME rate:      7.500 epoch: TIME size: 1 key: 1h/per_mail/unique/k2\n',
    );
    const seen = new SeenHints(spoolDirectory, undefined, fail);
    seen.note('k', 300);
    seen.close();
    assert.equal(times(told((terminal) => dumpdb([spool, 'seen'], terminal))[1]), 'k\tTIME\n');
    const offers = new OfferHints(spoolDirectory, undefined, fail, 300);
    offers.note({ address: '192.0.2.1', port: 25 }, { clear: new Map([['PIPECONNECT', '']]) });
    offers.close();
    assert.equal(times(told((terminal) => dumpdb([spool, 'misc'], terminal))[1]), 'TIME 192.0.2.1:25.EHLO\n');
  });
});

describe('exim_tidydb', () => {
  it('removes what is old', () => {
    withRetry((hints) => {
      hints.set('R:old@x.test', { ...failed, code: -1, message: '' });
      hints.set('R:new@x.test', { ...failed, lastTry: clock.seconds(), code: -1, message: '' });
    });
    const tidy = (...words: readonly string[]) => told((terminal) => tidydb([...words, spool, 'retry'], terminal));
    const first = `Tidying Exim hints database ${spool}/db/retry\n`;
    assert.deepEqual(tidy('-t', '9999d'), [0, `${first}Tidying complete\n`]);
    assert.deepEqual(tidy(), [0, `${first}deleted R:old@x.test (too old)\nTidying complete\n`]);
    assert.deepEqual(tidy('-f'), [0, `${first}Tidying complete\n`]);
    assert.equal(tidy('-t', 'x')[0], 1);
  });

  it('removes what is about messages that are on no queue', async () => {
    const id = queue.add(one);
    const opened = queue.runtime.spool.open(id);
    assert.ok(opened.outcome === 'open');
    await opened.message.moveTo(literal('slow'));
    withRetry((hints) => {
      for (const each of [one, gone]) {
        hints.set(`T:h.test:1.2.3.4:${each}`, { ...failed, lastTry: clock.seconds(), code: -46, message: '' });
      }
    });
    const waiting = new WaitHints(queue.runtime.places.spoolDirectory, undefined, fail);
    waiting.note('smtp', ['both.test'], idOf(one));
    waiting.note('smtp', ['both.test', 'none.test'], idOf(gone));
    waiting.close();
    const tidy = (name: string) =>
      told((terminal) => tidydb([spool, name], terminal))[1]
        .split('\n')
        .slice(1, -2);
    assert.deepEqual(tidy('retry'), [`deleted T:h.test:1.2.3.4:${gone} (no message)`]);
    assert.deepEqual(tidy('wait-smtp'), ['updated both.test', 'deleted none.test (empty)']);
    assert.deepEqual([tidy('retry'), tidy('wait-smtp')], [[], []]);
  });
});

describe('exim_fixdb', () => {
  it('shows a record, changes its fields, and deletes it', async () => {
    withRetry((hints) => hints.set('R:ann@x.test', { ...failed, code: -1, message: 'later on' }));
    const record = (code: number, next: string, expired: string): string => `> TIME
0 error number: ${code} later on
1 extra data:   65
2 first failed: 02-Nov-2025 10:00:00
3 last try:     02-Nov-2025 10:01:00
4 next try:     ${next}
5 expired:      ${expired}
`;
    const local = new Date(1999, 10, 2, 10, 0);
    const two = (number: number): string => String(number).padStart(2, '0');
    const shown = `${two(local.getUTCDate())}-Nov-1999 ${two(local.getUTCHours())}:${two(local.getUTCMinutes())}:00`;
    assert.equal(
      await dialogue(
        'retry',
        'nobody',
        'R:ann@x.test',
        '0 55',
        '4 991102:1000',
        '5 yes',
        '7 1',
        '6',
        'd',
        'R:ann@x.test',
        'q',
      ),
      `Modifying Exim hints database SPOOL/db/retry
> record nobody not found
${record(-1, '02-Nov-2025 10:15:00', 'no')}${record(55, '02-Nov-2025 10:15:00', 'no')}${record(55, shown, 'no')}${record(55, shown, 'yes')}> unknown field number
> value missing
> deleted
> record R:ann@x.test not found
> `,
    );
  });

  it('does not change what waits, and tells of a database that is not there', async () => {
    const hints = new WaitHints(queue.runtime.places.spoolDirectory, undefined, fail);
    hints.note('smtp', ['h.test'], idOf(one));
    hints.close();
    const text = await dialogue('wait-smtp', 'h.test', '0 x', 'd');
    assert.match(text, /> .*\nSequence: 0\n1aaaaa-000001-00 \n> Can't change contents of wait database record\n/);
    assert.match(text, /> deleted\n> \n$/);
    assert.match(
      await dialogue('tls', 'x'),
      /^.*\n> \*\* Failed to open database lock file SPOOL\/db\/tls.lockfile: .*\n> \n$/,
    );
  });
});
