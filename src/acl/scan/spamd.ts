/** The protocols of SpamAssassin's spamd and of Rspamd: the question about a message, and what the answer says. */

import type { SpamFacts } from '../../expand/content-facts.ts';
import type { Context } from '../../expand/context.ts';
import * as clock from '../../lib/clock.ts';
import { lower, trim } from '../../lib/octets.ts';
import { oneDecimal } from '../../lib/one-decimal.ts';
import type { ByteStream } from '../../net/byte-stream.ts';
import type { MessageCopy } from '../message-copy.ts';
import { readAnswer } from './scanner-connection.ts';
import type { SpamdServer } from './spamd-servers.ts';

const line = (text: string): string => `${text.replace(/[\r\n\0]/g, ' ')}\r\n`;

function question(server: SpamdServer, user: string, copy: MessageCopy, { connection, message }: Context): string {
  if (!server.isRspamd) return `REPORT SPAMC/1.2\r\n${line(`User: ${user}`)}Content-length: ${copy.size}\r\n\r\n`;
  const recipients = message?.recipients ?? [];
  const optional: readonly (readonly [name: string, value: string | undefined])[] = [
    ['Helo', connection?.heloName],
    ['Hostname', connection?.hostName],
    ['IP', connection?.hostAddress],
    ['User', connection?.authenticatedId],
  ];
  return [
    line('CHECK RSPAMC/1.3'),
    line(`Content-length: ${copy.size}`),
    line(`Queue-Id: ${copy.id}`),
    line(`From: <${message?.sender ?? ''}>`),
    line(`Recipient-Number: ${recipients.length}`),
    ...recipients.map((address) => line(`Rcpt: <${address}>`)),
    ...optional.flatMap(([name, value = '']) => (value === '' ? [] : [line(`${name}: ${value}`)])),
    '\r\n',
  ].join('');
}

export interface SpamVerdict {
  readonly facts: SpamFacts;
  readonly isSpam: boolean;
}

const longestBar = 50;

function barOf(score: number): string {
  const length = Math.min(Math.trunc(Math.abs(score)), longestBar);
  return length === 0 ? '/' : (score < 0 ? '-' : '+').repeat(length);
}

/** The report as header lines and messages can show it: each further line begins with a blank. */
function reportOf(text: string): string {
  return trim(text.replaceAll('\r', '')).replaceAll('\n', '\n ');
}

function verdict(score: number, threshold: number, report: string, action: string | undefined): SpamVerdict {
  const isSpam = score >= threshold;
  return {
    isSpam,
    facts: {
      score: oneDecimal(score),
      // what is a little too small only because it is no binary fraction is not to be cut
      scoreInt: String(Math.trunc((score + 0.001) * 10)),
      bar: barOf(score),
      action: action ?? (isSpam ? 'reject' : 'no action'),
      report: reportOf(report),
    },
  };
}

const spamLine = /^Spam: *\w+ *; *(-?\d+(?:\.\d+)?) *\/ *(-?\d+(?:\.\d+)?) *$/i;
/** Versions of spamd that answer a report tell the score in its first line. */
const firstLine = /^(-?\d+(?:\.\d+)?) ?\/ ?(-?\d+(?:\.\d+)?)\r?\n/;
const metricLine = /^Metric: *[^;]*; *\w+; *(-?\d+(?:\.\d+)?) *\/ *(-?\d+(?:\.\d+)?)/i;

/** What SpamAssassin answered; nothing when it makes no sense. */
export function parseSpamd(text: string): SpamVerdict | undefined {
  const end = text.indexOf('\r\n\r\n');
  if (end < 0) return undefined;
  const [status = '', ...headers] = text.slice(0, end).split('\r\n');
  if (!/^SPAMD\/[\d.]+ 0 EX_OK$/.test(status)) return undefined;
  const body = text.slice(end + 4);
  for (const header of headers) {
    const [, score, threshold] = spamLine.exec(header) ?? [];
    if (score !== undefined) return verdict(Number(score), Number(threshold), body, undefined);
  }
  const [first = '', score, threshold] = firstLine.exec(body) ?? [];
  return score === undefined
    ? undefined
    : verdict(Number(score), Number(threshold), body.slice(first.length), undefined);
}

/** What Rspamd answered; nothing when it makes no sense. */
export function parseRspamd(text: string): SpamVerdict | undefined {
  const [status = '', ...lines] = text.split('\r\n');
  if (!/^RSPAMD\/[\d.]+ 0 EX_OK$/.test(status)) return undefined;
  const at = lines.findIndex((one) => metricLine.test(one));
  const [, score, threshold] = metricLine.exec(lines[at] ?? '') ?? [];
  if (score === undefined) return undefined;
  const rest = lines.slice(at + 1);
  const action = rest.find((one) => lower(one).startsWith('action:'));
  const report = rest.filter((one) => one !== action).join('\n');
  return verdict(Number(score), Number(threshold), report, trim(action?.slice('action:'.length) ?? ''));
}

export type SpamdAnswer = SpamVerdict | { readonly problem: string };

/** Asks a server over a connection that was made to it. */
export async function askSpamd(
  server: SpamdServer,
  place: string,
  stream: ByteStream,
  user: string,
  copy: MessageCopy,
  context: Context,
): Promise<SpamdAnswer> {
  const end = clock.elapsed() + server.timeout * 1000;
  const left = (): number => end - clock.elapsed();
  try {
    let sent = await stream.write(question(server, user, copy, context), left());
    await copy.read(async (piece) => {
      if (sent.outcome === 'written') sent = await stream.write(piece, Math.max(left(), 1));
    });
    // a server that answers before it has heard all may be right
    if (sent.outcome === 'timeout') return { problem: `${place}: Connection timed out` };
    if (!server.isRspamd) stream.endOutput();
    const answer = await readAnswer(stream, left);
    if (answer.outcome === 'failed') return { problem: `error reading from spamd ${place}, socket: ${answer.text}` };
    const found = server.isRspamd ? parseRspamd(answer.text) : parseSpamd(answer.text);
    return found ?? { problem: `cannot parse spamd ${place} output` };
  } finally {
    stream.close();
  }
}
