/** `-brw`: what the rewriting rules make of an address in each place (Exim spec 5.3, 31). */

import type { RewritePlace } from '../../config/rewrite-rules.ts';
import { parseAddress } from '../../mail/address.ts';
import { headerLine } from '../../mail/header-line.ts';
import { rewriteTools } from '../../mta/arrival.ts';
import { rewriteAddress, rewriteHeaders, rewriteSmtp } from '../../mta/rewrite.ts';
import type { Call } from '../call.ts';
import { testContext } from '../test-context.ts';

const headers: readonly (readonly [label: string, name: string])[] = [
  ['  sender', 'Sender'],
  ['    from', 'From'],
  ['      to', 'To'],
  ['      cc', 'Cc'],
  ['     bcc', 'Bcc'],
  ['reply-to', 'Reply-To'],
];

const envelope: readonly (readonly [label: string, place: RewritePlace])[] = [
  ['env-from', 'envelope sender'],
  ['  env-to', 'envelope recipient'],
];

export async function testRewriteCommand(call: Call): Promise<number> {
  const { invocation, runtime, terminal } = call;
  const { config, settings } = runtime;
  const [first] = invocation.arguments;
  if (first === undefined) {
    terminal.out('-brw needs an address argument\n');
    return 1;
  }
  if (config.rewriteRules.length === 0) {
    terminal.out('No rewrite rules are defined\n');
    return 0;
  }
  // only the first argument counts
  await testOne(first, settings.qualifyDomain, call);
  return 0;
}

async function testOne(text: string, qualifyDomain: string, call: Call): Promise<void> {
  const { runtime, terminal } = call;
  const context = testContext(call);
  const tools = { ...rewriteTools(runtime, undefined), log: () => undefined };
  if (runtime.config.rewriteRules.some(({ smtp }) => smtp)) {
    const rewritten = await rewriteSmtp(text, 'envelope sender', tools, context);
    if (rewritten !== text) terminal.out(`    SMTP: ${rewritten}\n`);
  }
  const full = text.includes('@') ? text : `${text}@${qualifyDomain}`;
  const parsed = parseAddress(full);
  if ('error' in parsed) {
    terminal.out(
      `Syntax error in ${full}\n${parsed.error.replace(/^[a-z]/, (letter) => (letter.charCodeAt(0) > 96 ? String.fromCharCode(letter.charCodeAt(0) - 32) : letter))}\n`,
    );
    return;
  }
  for (const [label, name] of headers) {
    const lines = await rewriteHeaders(
      [headerLine(`${name}: ${full}\n`)],
      { sender: undefined, recipient: undefined },
      tools,
      context,
    );
    const line = lines.find(({ type }) => type !== '*')?.text ?? '';
    terminal.out(`${label}: ${line.slice(name.length + 2)}`);
  }
  for (const [label, place] of envelope) {
    const { address } = await rewriteAddress(parsed.address, place, tools, context);
    terminal.out(`${label}: ${address}\n`);
  }
}
