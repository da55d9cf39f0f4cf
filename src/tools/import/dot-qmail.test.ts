import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as files from '../../safe/files.ts';
import { type DotQmail, readDotQmail } from './dot-qmail.ts';
import { targetsText } from './targets.ts';
import { TestTeller, withFile } from './test-teller.ts';

interface Read {
  readonly text: string;
  readonly mailbox: string | undefined;
  readonly losses: readonly string[];
  readonly remarks: readonly string[];
}

function read(text: string, mode = 0o644): Read {
  return withFile(text, (path) => {
    files.setMode(path, mode);
    const teller = new TestTeller();
    const rules = { home: '/h/ann', owner: undefined, defaultDelivery: './Maildir/', domain: 'd.example' };
    const { targets, mailbox }: DotQmail = readDotQmail(path, rules, teller);
    return { text: targetsText(targets), mailbox, losses: teller.losses, remarks: teller.remarks };
  });
}

test('each kind of line is read as dot-qmail(5) says', () => {
  for (const [line, text, mailbox] of [
    ['&ann@x.example', 'ann@x.example', undefined],
    ['ann@X.Example  ', 'ann@x.example', undefined],
    ['&bob', 'bob@d.example', undefined],
    ['./Maildir/', '', '/h/ann/Maildir/'],
    ['././Mailbox', '', '/h/ann/Mailbox'],
    ['/var/mail/ann', '', '/var/mail/ann'],
    ['|/usr/bin/prog -a b', '|/usr/bin/prog -a b', undefined],
    ['|preline /usr/bin/vacation ann', '|/usr/bin/vacation ann', undefined],
    ['|forward a@x.example "b@x.example"', 'a@x.example, b@x.example', undefined],
    ['|/var/qmail/bin/bouncesaying "No such user"', ':fail: No such user', undefined],
    ['+list\nann@x.example', 'ann@x.example', undefined],
    ['./a/\n./b/', '/h/ann/b/', '/h/ann/a/'],
    ['# only a comment', ':blackhole:', undefined],
    ['', '', '/h/ann/Maildir/'],
  ] as const) {
    const found = read(line);
    assert.deepEqual([found.text, found.mailbox, found.losses], [text, mailbox, []], line);
  }
});

test('a program that needs a shell, or the home directory, gets both', () => {
  assert.equal(read('|cat >> log').text, '"|/bin/sh -c \\"cd /h/ann && cat >> log\\""');
  assert.equal(read('|./prog "a b"').text, '"|/bin/sh -c \\"cd /h/ann && ./prog \\\\\\"a b\\\\\\"\\""');
});

test('what has no meaning elsewhere is told with its line', () => {
  for (const [line, reason] of [
    ['|condredirect a@b grep x', /a program decides/],
    ['|bouncesaying text /bin/prog', /a program decides/],
    ["|/home/vpopmail/bin/vdelivermail '' bounce-no-mailbox", /vpopmail/],
    ['|preline -f dot-forward .forward', /redirect router/],
    ['|/usr/bin/ezmlm-send /lists/x', /ezmlm/],
    ['two words', /no address/],
    ['+other', /no instruction/],
    ['\n&ann@x.example', /first line is empty/],
  ] as const) {
    const { losses } = read(`${line}\n`);
    assert.match(losses[0] ?? '', reason, line);
  }
  // what was lost does not turn the file into one that throws mail away
  assert.equal(read('two words\n').text, '');
});

test('the bits of the file that qmail heeds are told', () => {
  assert.match(read('ann@x.example\n', 0o666).remarks[0] ?? '', /others may write/);
  const { text, losses } = read('ann@x.example\n./Maildir/\n', 0o755);
  assert.equal(text, 'ann@x.example');
  assert.match(losses[0] ?? '', /^2: the file may be executed/);
});
