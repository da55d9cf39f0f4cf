/** Runs filters in tests, as `-bf` does: nothing is done, but told. */

import type { Context } from '../expand/context.ts';
import { emptyMessage } from '../expand/facts.ts';
import { testContext } from '../lookups/test-context.ts';
import { headerLine } from '../mail/header-line.ts';
import { Text } from '../safe/taint.ts';
import { runEximFilter } from './exim-filter.ts';
import type { FilterRequest } from './filter.ts';
import { type FilterOutcome, usualLimits } from './filter-outcome.ts';

const lines = [
  'From: a@b.example\n',
  'To: root@mail.example, "A B" <joe@other.example>\n',
  'Subject: foo bar\n',
  'Date: Tue, 3 Mar 2026 10:00:00 +0000\n',
  'Message-Id: <1@b.example>\n',
];

/** A message from mary@simple.example to root@mail.example. */
export function filterContext(): Context {
  const context = testContext();
  const message = emptyMessage('mary@simple.example', { uid: 0, gid: 0 });
  message.headers = lines.map((line) => headerLine(line));
  message.recipients = ['root@mail.example'];
  message.recipientsCount = 1;
  message.body = () => 'body\n';
  const settings = { ...context.settings, qualifyDomain: 'mail.example', qualifyRecipient: 'mail.example' };
  const delivery = {
    transportName: '',
    returnPath: message.sender,
    host: '',
    hostAddress: '',
    hostPort: 0,
    inode: 0,
    pipeAddresses: [],
    firstDelivery: true,
    queueRunning: false,
  };
  return { ...context, settings, message, delivery };
}

export interface Ran {
  readonly outcome: FilterOutcome;
  readonly output: string;
  readonly explained: string;
}

/** Runs a filter without its first line. */
export async function runTestFilter(filter: string, more: Partial<FilterRequest> = {}): Promise<Ran> {
  let output = '';
  let explained = '';
  const outcome = await runEximFilter({
    text: Text.vouched(`# Exim filter\n${filter}`),
    context: filterContext(),
    limits: usualLimits,
    isSystem: false,
    ownAddresses: more.isSystem ? [] : ['root@mail.example'],
    prependHome: true,
    qualifyDomain: 'mail.example',
    firstDelivery: true,
    manuallyThawed: false,
    isDry: true,
    user: undefined,
    sieve: undefined,
    test: {
      print(text) {
        output += text;
      },
      explain(text) {
        explained += text;
      },
    },
    ...more,
  });
  return { outcome, output, explained };
}
