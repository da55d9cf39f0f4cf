import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { runScript } from './test-script.ts';

/** Words of which many scripts are nearly right. */
const words = [
  'require "encoded-character";',
  'require ["fileinto","copy","vacation","envelope","subaddress","encoded-character","enotify"];',
  ...'if elsif else stop keep discard redirect fileinto vacation notify true false not allof anyof header'.split(' '),
  ...'address envelope exists size valid_notify_method notify_method_capability text: # /* */'.split(' '),
  ...':is :contains :matches :comparator :all :user :detail :domain :over :under :copy :mime :days'.split(' '),
  ...':subject :from :addresses :handle :message :importance :options { } ( ) [ ] , ; " \\ 10K 99999999999999999999'.split(
    ' ',
  ),
  ...[
    '"from"',
    '"subject"',
    '"*a?\\\\"',
    '"${hex:41 0}${unicode:2603}"',
    '"a@b.example"',
    '"mailto:a@b?c=d"',
    '"i;octet"',
  ],
  ...['"i;ascii-numeric"', '\n', '\n.\n', '\0', '\xff', '"text"', 'true {'],
];

const options = {
  vacation_directory: '/vac',
  enotify_mailto_owner: 'o@example.com',
  subaddress: 'x',
  useraddress: 'y',
};
const headers = [
  'From: =?utf-8?q?a=00?= <a@b>, group: c@d, "x\n',
  'Subject: a*b\\ =?x?b?broken\n',
  'To: ann@example.com\n',
];

describe('Any Sieve script', () => {
  it('ends, and either does something or keeps the message', async () => {
    const script = fc.array(
      fc.oneof({ weight: 9, arbitrary: fc.constantFrom(...words) }, fc.string({ unit: 'binary' })),
      {
        maxLength: 60,
      },
    );
    await fc.assert(
      fc.asyncProperty(script, fc.boolean(), async (pieces, isTest) => {
        const text = Buffer.from(pieces.join(' ')).toString('latin1');
        const { actions, said } = await runScript(text, { options, headers, isTest });
        if (isTest) assert.match(said, /^(?:Sieve error: [\s\S]* in line \d+|Implicit keep|No implicit keep)\n$/);
        if (said.startsWith('Sieve error') || said.startsWith('Implicit')) {
          assert.ok(actions.some((action) => action.kind === 'file' && action.text.value === 'inbox'));
        }
      }),
      { numRuns: 3000 },
    );
  });
});
