/** The commands `mail` and `vacation` (Exim's filter specification 3.14). */

import { printing } from '../lib/escapes.ts';
import { parseInterval } from '../lib/intervals.ts';
import { Text } from '../safe/taint.ts';
import { FilterMistake } from './exim-reader.ts';
import type { FilterState } from './exim-state.ts';
import { type Command, type MailCommand, type MailPart, mailParts } from './exim-tree.ts';

const textPart: ReadonlySet<MailPart> = new Set(['text']);
const plainParts: ReadonlySet<MailPart> = new Set(['file', 'log', 'once', 'once_repeat']);

/** Lines of a header value go on with a blank; further header lines may also begin with a name. */
const badFold = /\n(?![ \t\n\v\f\r])/;
const badLine = /\n(?![ \t\n\v\f\r]|[\x21-\x39\x3b-\x7e]+:)/;

/** Refuses what would be more than the one value. */
function check(part: MailPart, value: string, state: FilterState, command: string): void {
  if (textPart.has(part)) return;
  const shown = (): string => printing(value, state.request.context.settings.printTopBitCharacters);
  if (plainParts.has(part)) {
    if (/[^\x20-\x7e]/.test(value)) {
      throw new FilterMistake(`non-printing character in "${shown()}" in ${command} command`);
    }
  } else if (part === 'extra_headers' ? badLine.test(value) : badFold.test(value)) {
    const or = part === 'extra_headers' ? ' or valid header name' : '';
    throw new FilterMistake(`\\n not followed by space${or} in "${shown().slice(0, 1024)}" in ${command} command`);
  }
}

async function expanded({ kind, parts }: MailCommand, state: FilterState): Promise<ReadonlyMap<MailPart, Text>> {
  const values = new Map<MailPart, Text>();
  for (const part of mailParts) {
    const source = parts[part];
    if (source === undefined) continue;
    const value = await state.expand(source, kind);
    check(part, value.value, state, kind);
    values.set(part, value);
  }
  return values;
}

/** What a test says of the command. */
function describe(
  { kind, expandFile, returnMessage, noError }: MailCommand & Command,
  seen: boolean,
  values: ReadonlyMap<MailPart, Text>,
  state: FilterState,
): void {
  const to = values.get('to')?.value ?? '<default>';
  const how = `${kind === 'vacation' ? ' (vacation)' : ''}${noError ? ' (noerror)' : ''}`;
  state.print(`${seen ? 'Seen m' : 'M'}ail to: ${to}${how}\n`);
  const topBit = state.request.context.settings.printTopBitCharacters;
  for (const [part, value] of values) {
    if (part === 'to') continue;
    const how = part === 'file' && expandFile ? ' (expanded)' : '';
    state.print(`${part.padStart(7)}: ${printing(value.value, topBit).replaceAll('\\t', '\t')}${how}\n`);
  }
  if (returnMessage) state.print('Return original message\n');
}

export async function runMail(command: MailCommand & Command, state: FilterState): Promise<void> {
  const { kind, seen, noError, expandFile, returnMessage } = command;
  const { context, test } = state.request;
  const values = await expanded(command, state);
  if ((context.delivery?.returnPath ?? context.message?.sender ?? '') === '') {
    state.print(`${kind} command ignored because return_path is empty\n`);
    return;
  }
  const isSeen = seen ?? false;
  if (test !== undefined) {
    describe(command, isSeen, values, state);
  } else {
    const to = values.get('to') ?? (await state.expand(Text.configured('$reply_address'), kind));
    const repeat = values.get('once_repeat');
    const seconds = repeat === undefined ? 0 : parseInterval(repeat.value);
    if (seconds === undefined) {
      throw new FilterMistake(`Bad time value for "once_repeat" in mail or vacation command: ${repeat?.value}`);
    }
    const text = (part: MailPart): string | undefined => values.get(part)?.value;
    state.actions.push({
      kind: 'reply',
      noError,
      reply: {
        to: to.value,
        cc: text('cc'),
        bcc: text('bcc'),
        from: text('from'),
        replyTo: text('reply_to'),
        subject: text('subject'),
        headers: text('extra_headers'),
        text: text('text'),
        file: values.get('file'),
        expandFile,
        returnMessage,
        log: values.get('log'),
        once: values.get('once'),
        onceRepeat: seconds,
      },
    });
  }
}
