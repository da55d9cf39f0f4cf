/** Runs a script on a message for the tests of this folder. */

import { compileTemplate } from '../../expand/expand.ts';
import { emptyMessage } from '../../expand/facts.ts';
import { testContext } from '../../lookups/test-context.ts';
import { headerLine } from '../../mail/header-line.ts';
import { Text } from '../../safe/taint.ts';
import { type FilterAction, type FilterNotice, usualLimits } from '../filter-outcome.ts';
import { runSieveFilter } from './sieve-filter.ts';

export interface ScriptResult {
  readonly actions: readonly FilterAction[];
  readonly notices: readonly FilterNotice[];
  /** What a test with `-bf` would print. */
  readonly said: string;
}

export interface ScriptSetting {
  readonly headers?: readonly string[];
  readonly sender?: string;
  /** It is a test, and nothing is done. */
  readonly isTest?: boolean;
  readonly options?: Readonly<Record<string, string>>;
}

const usualHeaders = ['From: Joe <joe@remote.example>\n', 'To: ann@example.com\n', 'Subject: hello\n'];

/** The script without its first line, for ann@example.com. */
export async function runScript(
  script: string,
  { headers = usualHeaders, sender = 'joe@remote.example', isTest = false, options = {} }: ScriptSetting = {},
): Promise<ScriptResult> {
  const context = testContext();
  const message = emptyMessage(sender, { uid: 1, gid: 1 });
  message.headers = headers.map(headerLine);
  message.size = 1000;
  context.message = message;
  let said = '';
  const template = (name: string) => (options[name] === undefined ? undefined : compileTemplate(options[name]));
  const outcome = await runSieveFilter({
    text: Text.vouched(`# Sieve filter\n${script}\n`),
    context,
    limits: usualLimits,
    isSystem: false,
    ownAddresses: ['ann+x@example.com', 'ann@example.com'],
    prependHome: true,
    qualifyDomain: 'example.com',
    firstDelivery: true,
    manuallyThawed: false,
    isDry: true,
    sieve: {
      subaddress: template('subaddress'),
      userAddress: template('useraddress'),
      vacationDirectory: template('vacation_directory'),
      enotifyMailtoOwner: template('enotify_mailto_owner'),
    },
    test: isTest ? { print: (text) => (said += text) } : undefined,
    user: undefined,
  });
  if (outcome.outcome !== 'done') throw new Error(`${outcome.outcome}: ${outcome.message}`);
  return { actions: outcome.actions, notices: outcome.notices ?? [], said };
}

/** Where a script sends the message: folders, and addresses with `>` in front. */
export async function whereTo(script: string, setting?: ScriptSetting): Promise<string[]> {
  const { actions } = await runScript(script, setting);
  return actions.map((action) => {
    if (action.kind === 'reply') return `reply ${action.reply.to}`;
    return action.kind === 'address' ? `>${action.text.value}` : action.text.value;
  });
}

/** What a test of the script says last. */
export async function complaint(script: string, setting?: ScriptSetting): Promise<string> {
  return (await runScript(script, { ...setting, isTest: true })).said.trimEnd();
}
