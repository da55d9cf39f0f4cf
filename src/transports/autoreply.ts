/**
 * The autoreply transport answers a message with a new one (Exim spec 27). Here its options are expanded and checked, and
 * its header lines are made; `autoreply-job.ts` puts the message together, and whoever runs the delivery submits it.
 */

import type { Context } from '../expand/context.ts';
import type { Template } from '../expand/expand.ts';
import type { FilterReply } from '../filter/filter-outcome.ts';
import * as clock from '../lib/clock.ts';
import { printing } from '../lib/escapes.ts';
import { parseInterval } from '../lib/intervals.ts';
import { originalHeader, referencesTo } from '../mail/references.ts';
import { timestamp } from '../observe/main-log.ts';
import type { OptionsOf } from '../options/table.ts';
import { type Clean, clean, type Text } from '../safe/taint.ts';
import { firstLine } from '../spool/body.ts';
import type { AutoreplyJob, CopyRules } from './autoreply-job.ts';
import { autoreplyOptions } from './autoreply-options.ts';
import { withoutNeverMail } from './autoreply-recipients.ts';
import { defineLocalTransport } from './define-local-transport.ts';
import { notPermitted, prepared, Unprepared } from './expanding.ts';
import { type DeliveryRequest, deferred, errorCodes } from './transport.ts';

type Options = OptionsOf<typeof autoreplyOptions>;

const permissionDenied = 13;

/** Ends the preparation for good: the sender is told, but not why. */
function fail(message: string): never {
  throw new Unprepared({ outcome: 'failed', code: 0, message, publicMessage: '' });
}

/** What an expanded option may hold besides printing characters: lines that go on, anything, or nothing. */
type Permitted = 'continued lines' | 'anything' | 'nothing';

/** The first character that must not be there. */
function forbidden(text: string, permitted: Permitted, topBit: boolean): number | undefined {
  if (permitted === 'anything') return undefined;
  const plain = permitted === 'continued lines' ? text.replace(/\n(?=[ \t])/g, '') : text;
  return (topBit ? /[\x00-\x08\x0a-\x1f\x7f]/ : /[\x00-\x08\x0a-\x1f\x7f-\xff]/).exec(plain)?.[0]?.charCodeAt(0);
}

async function expandChecked(
  template: Template | undefined,
  permitted: Permitted,
  transport: string,
  context: Context,
): Promise<Text | undefined> {
  if (template === undefined) return undefined;
  const topBit = context.settings.printTopBitCharacters;
  const source = printing(template.source, topBit);
  const expansion = await template.expand(context);
  if (!expansion.ok) {
    const message = `Expansion of "${source}" failed in ${transport} transport: ${expansion.message}`;
    if (expansion.kind === 'defer') throw new Unprepared(deferred(errorCodes.expansion, message));
    return fail(message);
  }
  const character = forbidden(expansion.text.value, permitted, topBit);
  if (character === undefined) return expansion.text;
  return fail(`Expansion of "${source}" in ${transport} transport contains non-printing character ${character}`);
}

/** A file name; one that is tainted ends the preparation. */
function provenPath(template: Template | undefined, text: Text | undefined, what: string): Clean | undefined {
  if (template === undefined || text === undefined) return undefined;
  return clean(text) ?? tainted(notPermitted(template, text, what));
}

function tainted(message: string): never {
  throw new Unprepared(deferred(permissionDenied, message));
}

type HeaderOptions = 'from' | 'reply_to' | 'to' | 'cc' | 'bcc' | 'subject';
type Values = { [Name in HeaderOptions | 'headers' | 'text']: string | undefined };

/** How the answered message is copied; its size is that of the file on the spool, as Exim counts. */
function copyRules({ common, content, context, messageId }: DeliveryRequest): CopyRules {
  const limit = context.settings.bounceReturnSizeLimit;
  const what = common.headers_only
    ? "the message's header lines."
    : common.body_only
      ? 'the body of the message, without the headers.'
      : 'the message, including all the headers.';
  let introduction = `------ This is a copy of ${what}\n`;
  const size = content.body.size + firstLine(messageId).length;
  const most = (Math.floor(limit / limitStep) + 1) * limitStep;
  if (!common.headers_only && limit > 0 && size > most) {
    introduction += `------ The body of the message is ${size} characters long; only the first\n`;
    introduction += `------ ${Math.floor(most / 1000)}000 or so are included here.\n`;
  }
  return { introduction, headers: !common.body_only, body: !common.headers_only, limit };
}

/** Bodies that are longer than the limit, rounded up to this, are said to be cut. */
const limitStep = 8192;

function headOf(values: Values, { context }: DeliveryRequest): string {
  const original = context.message?.headers ?? [];
  const messageId = originalHeader(original, 'message-id');
  const line = (name: string, value: string | undefined): string => (value === undefined ? '' : `${name}: ${value}\n`);
  const { text } = values;
  return [
    line('From', values.from),
    line('Reply-To', values.reply_to),
    line('To', values.to),
    line('Cc', values.cc),
    line('Bcc', values.bcc),
    line('Subject', values.subject),
    line('In-Reply-To', messageId),
    ...referencesTo(original),
    'Auto-Submitted: auto-replied\n',
    values.headers === undefined ? '' : `${values.headers}\n`,
    '\n',
    text === undefined || text === '' || text.endsWith('\n') ? (text ?? '') : `${text}\n`,
  ].join('');
}

/** What the log file says of an answer. */
function logEntry(values: Values): string {
  const names = { from: 'From', to: 'To', cc: 'Cc', bcc: 'Bcc', subject: 'Subject' } as const;
  const lines = Object.entries(names).map(([option, name]) => {
    const value = values[option as keyof typeof names];
    return value === undefined ? '' : `  ${name}: ${value}\n`;
  });
  return lines.join('') + (values.headers === undefined ? '' : `  ${values.headers}\n`);
}

/** What the letter is to be, by the options or by a filter. */
interface Letter {
  readonly values: Values;
  readonly file: Clean | undefined;
  readonly expandFile: boolean;
  readonly log: Text | undefined;
  readonly once: Clean | undefined;
  /** Seconds. */
  readonly repeat: number;
  readonly returnMessage: boolean;
}

/** A letter of a filter: nothing of it is expanded once more (Exim spec 27). */
function letterOf(reply: FilterReply, transport: string): Letter {
  const path = (text: Text | undefined, what: string): Clean | undefined =>
    text && (clean(text) ?? tainted(`Tainted '${text.value}' (${what} for ${transport} transport) not permitted`));
  const { from, replyTo, to, cc, bcc, subject, headers, text } = reply;
  return {
    values: { from, reply_to: replyTo, to, cc, bcc, subject, headers, text },
    file: path(reply.file, 'file'),
    expandFile: reply.expandFile ?? false,
    log: reply.log,
    once: path(reply.once, 'once file'),
    repeat: reply.onceRepeat ?? 0,
    returnMessage: reply.returnMessage ?? false,
  };
}

/** The letter that the options make. */
async function letterFrom(options: Options, transport: string, context: Context): Promise<Letter> {
  const expand = (template: Template | undefined, permitted: Permitted): Promise<Text | undefined> =>
    expandChecked(template, permitted, transport, context);
  const header = async (name: HeaderOptions): Promise<string | undefined> =>
    (await expand(options[name], 'continued lines'))?.value;
  const values: Values = {
    from: await header('from'),
    reply_to: await header('reply_to'),
    to: await header('to'),
    cc: await header('cc'),
    bcc: await header('bcc'),
    subject: await header('subject'),
    headers: (await expand(options.headers, 'anything'))?.value,
    text: (await expand(options.text, 'anything'))?.value,
  };
  const file = await expand(options.file, 'nothing');
  const log = await expand(options.log, 'nothing');
  const once = await expand(options.once, 'nothing');
  const repeat = await expand(options.once_repeat, 'nothing');
  const seconds = repeat === undefined ? 0 : parseInterval(repeat.value);
  if (seconds === undefined) {
    return fail(`Invalid time value "${repeat?.value}" for "once_repeat" in ${transport} transport`);
  }
  return {
    values,
    once: provenPath(options.once, once, `once file for ${transport} transport`),
    file: provenPath(options.file, file, `file for ${transport} transport`),
    expandFile: options.file_expand,
    log,
    repeat: seconds,
    returnMessage: options.return_message,
  };
}

async function prepare(
  options: Options,
  request: DeliveryRequest,
): Promise<{ readonly job: AutoreplyJob } | { readonly outcome: 'delivered' }> {
  const { transport, context, addresses } = request;
  const reply = addresses[0]?.reply;
  const letter = reply === undefined ? await letterFrom(options, transport, context) : letterOf(reply, transport);
  const { values, file, log, once } = letter;
  if (options.never_mail !== undefined) {
    for (const name of ['to', 'cc', 'bcc'] as const) {
      values[name] = await withoutNeverMail(values[name], options.never_mail, context);
    }
    if (values.to === undefined && values.cc === undefined && values.bcc === undefined) return { outcome: 'delivered' };
  }
  const logPath = log && clean(log);
  const hasLog = logPath !== undefined && logPath !== '';
  return {
    job: {
      driver: 'autoreply',
      transport,
      step: 'compose',
      to: values.to,
      once:
        once === undefined || once === ''
          ? undefined
          : { path: once, size: options.once_file_size, mode: options.mode, repeat: letter.repeat },
      now: clock.seconds(),
      directory: request.directory,
      head: headOf(values, request),
      file:
        file === undefined
          ? undefined
          : {
              path: file,
              optional: options.file_optional,
              expand: letter.expandFile,
              ofFilter: reply !== undefined,
            },
      copy: letter.returnMessage ? copyRules(request) : undefined,
      log: hasLog
        ? { path: logPath, mode: options.mode, stamp: timestamp(clock.now()), entry: logEntry(values) }
        : undefined,
      complaint: log !== undefined && logPath === undefined ? `Tainted filename '${log.value}'` : undefined,
    },
  };
}

export const autoreply = defineLocalTransport({
  name: 'autoreply',
  summary: 'sends a message in answer to the one it is given',
  options: autoreplyOptions,
  filtersItself: true,
  prepare: (options) => (request) => prepared(() => prepare(options, request)),
  perform: async (job: AutoreplyJob, content) => (await import('./autoreply-job.ts')).runAutoreply(job, content),
});
