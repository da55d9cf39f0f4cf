import assert from 'node:assert/strict';
import { test } from 'node:test';
import { headerLine } from '../mail/header-line.ts';
import { changedHeaders } from './header-change.ts';

const headers = ['From: a@b\n', 'Subject: s\n', 'subject: t\n'].map((line) => headerLine(line));
const shown = (lines: ReturnType<typeof changedHeaders>): string[] => lines.map(({ type, text }) => `${type} ${text}`);

test('lines are added at the end, several at once, and one that goes on stays one', () => {
  const added = changedHeaders(headers, { kind: 'add', text: '  X-One: 1\n more\nReply-To: c@d' }).slice(
    headers.length,
  );
  assert.deepEqual(shown(added), ['  X-One: 1\n more\n', 'R Reply-To: c@d\n']);
});

test('blanks alone add nothing', () => {
  assert.equal(changedHeaders(headers, { kind: 'add', text: ' \n ' }).length, headers.length);
});

test('lines are removed by their names, whatever their case, and stay marked', () => {
  const left = changedHeaders(headers, { kind: 'remove', names: ' SUBJECT : x-none' });
  assert.deepEqual(shown(left), ['F From: a@b\n', '* Subject: s\n', '* subject: t\n']);
});
