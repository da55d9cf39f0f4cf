/** What the real Exim 4.96 sends to the system log. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TestDirectory } from '../lib/test-directory.ts';
import * as files from '../safe/files.ts';
import { receiveAt } from '../safe/test-datagrams.ts';
import { standardSelection } from './log-selectors.ts';
import { type LogSettings, Logs } from './main-log.ts';
import { facilityNamed, SystemLog, syslogParts } from './syslog.ts';

test('a text goes in parts of 870 octets, and at each newline', () => {
  assert.deepEqual(syslogParts('short\n'), ['short']);
  assert.deepEqual(syslogParts('x'.repeat(870)), ['x'.repeat(870)]);
  assert.deepEqual(syslogParts('x'.repeat(871)), [`[1/2] ${'x'.repeat(870)}`, '[2/2] x']);
  assert.deepEqual(syslogParts(`a\n\n${'x'.repeat(880)}\nb\n`), [
    '[1\\5] a',
    '[2\\5] ',
    `[3/5] ${'x'.repeat(870)}`,
    `[4\\5] ${'x'.repeat(10)}`,
    '[5/5] b',
  ]);
});

test('facilities have the numbers of RFC 3164', () => {
  assert.deepEqual(['mail', 'LOCAL1', 'local7', 'auth', ''].map(facilityNamed), [2, 17, 23, undefined, undefined]);
});

type Choice = Partial<Record<'withTime' | 'withPid' | 'duplicates' | 'rejectLog' | 'pid', boolean>>;

test('lines have the severity of their log and the parts that are asked for', (t) => {
  const directory = new TestDirectory();
  t.after(() => directory.remove());
  const path = directory.file('log');
  const receiver = receiveAt(path);
  t.after(() => receiver.close());
  const sent = (choice: Choice, write: (logs: Logs) => void): string[] => {
    const { withTime = false, withPid = true, duplicates = true, rejectLog = true, pid = false } = choice;
    const settings: LogSettings = {
      paths: [],
      hasUnusedPaths: false,
      syslog: { log: new SystemLog(19, 'pqr', path), withTime, withPid, duplicates },
      selection: new Set([...standardSelection, ...(pid ? (['pid'] as const) : [])]),
      fileMode: 0o640,
      directoryMode: 0o750,
      timezone: false,
      rejectLog,
    };
    const logs = new Logs(settings);
    write(logs);
    logs.close();
    const time = /\d{4}-\d\d-\d\d \d\d:\d\d:\d\d/;
    return receiver.taken().map((line) =>
      line
        .replace(/^(<\d+>)[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d /, '$1')
        .replaceAll(`[${process.pid}]`, '[PID]')
        .replace(time, 'TIME'),
    );
  };
  assert.deepEqual(
    sent({}, (logs) => logs.main('text', 'ID')),
    ['<158>pqr[PID]: ID text'],
  );
  assert.deepEqual(
    sent({ withTime: true, pid: true }, (logs) => logs.panic('text')),
    ['<158>pqr[PID]: TIME [PID] text', '<153>pqr[PID]: TIME [PID] text'],
  );
  assert.deepEqual(
    sent({ pid: true }, (logs) => logs.main('text')),
    ['<158>pqr[PID]: [PID] text'],
  );
  assert.deepEqual(
    sent({ withTime: true, withPid: false, pid: true }, (logs) => logs.main('text')),
    ['<158>pqr[PID]: TIME text'],
  );
  assert.deepEqual(
    sent({ duplicates: false }, (logs) => logs.reject('no', 'ID', '  Subject: x\n')),
    ['<157>pqr[PID]: [1\\2] ID no', '<157>pqr[PID]: [2/2]   Subject: x'],
  );
  assert.deepEqual(
    sent({ rejectLog: false, duplicates: false }, (logs) => logs.reject('no', 'ID', '  Subject: x\n')),
    ['<158>pqr[PID]: ID no'],
  );
});

test('a system log that has begun anew is found again', (t) => {
  const directory = new TestDirectory();
  t.after(() => directory.remove());
  const path = directory.file('log');
  const first = receiveAt(path);
  const log = new SystemLog(2, 'exim', path);
  assert.ok(log.write('main', 'one'));
  assert.equal(first.taken().length, 1);
  first.close();
  assert.equal(log.write('main', 'lost'), false);
  files.remove(path);
  const second = receiveAt(path);
  t.after(() => second.close());
  assert.ok(log.write('main', 'two'));
  assert.equal(second.taken().length, 1);
  log.close();
});
