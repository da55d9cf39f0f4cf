/**
 * The queue as people read it: `-bp`, its variants, `-bpc` and `mailq` (Exim spec 5, -bp). Messages are read one by one
 * and shown as they are read; none is locked, so a listing disturbs no delivery.
 */

import * as clock from '../../lib/clock.ts';
import { errorCode, errorText } from '../../lib/errno.ts';
import { isFinished } from '../../mta/finished.ts';
import { headerFileSize } from '../../mta/open-queued.ts';
import * as files from '../../safe/files.ts';
import { literal, type QueueId, queueId } from '../../safe/taint.ts';
import type { Envelope } from '../../spool/envelope.ts';
import { DamagedSpoolFile } from '../../spool/format.ts';
import { IdList } from '../../spool/id-list.ts';
import type { Spool } from '../../spool/spool.ts';
import type { Call } from '../call.ts';
import type { QueueListOptions } from '../invocation.ts';

function mayList({ runtime, caller, terminal }: Call): boolean {
  if (caller.isAdmin || !runtime.config.main.queue_list_requires_admin) return true;
  terminal.error('exim: permission denied\n');
  return false;
}

/** `-bpc` */
export async function countQueueCommand(call: Call): Promise<number> {
  if (!mayList(call)) return 1;
  call.terminal.out(`${call.runtime.spool.count()}\n`);
  return 0;
}

/** `-bp`, `-bpa`, `-bpr`, `-bpra`, `-bpru`, `-bpu`; ids as arguments choose messages. */
export async function listQueueCommand(call: Call): Promise<number> {
  if (!mayList(call)) return 1;
  const { invocation, runtime, terminal } = call;
  const { arguments: wanted, queueList } = invocation;
  if (wanted.length > 0) {
    for (const text of wanted) terminal.out(chosenMessage(text, runtime.spool, queueList));
    return 0;
  }
  const ids = runtime.spool.ids();
  for (const id of queueList.sorted ? new IdList(ids).sort() : ids) {
    terminal.out(listedMessage(id, runtime.spool, queueList) ?? '');
  }
  return 0;
}

/** A message that was asked for, or that there is none. */
function chosenMessage(text: string, spool: Spool, options: QueueListOptions): string {
  const id = queueId(text);
  const shown = id === undefined ? undefined : listedMessage(id, spool, options);
  return shown ?? trouble(text, 'spool read error: No such file or directory');
}

const trouble = (id: string, what: string): string => `      ${id}\n    *** ${what} ***\n\n`;

/** All lines about a message, the empty one behind it included; nothing when it has left the queue. */
export function listedMessage(id: QueueId, spool: Spool, options: QueueListOptions): string | undefined {
  try {
    const envelope = spool.read(id);
    if (envelope === undefined) return undefined;
    addJournal(envelope, spool);
    return `${headLine(envelope, spool)}${recipientLines(envelope, options)}\n`;
  } catch (error) {
    if (error instanceof DamagedSpoolFile) {
      return trouble(id, `spool format error: size=${headerFileSize(id, { spool })}`);
    }
    if (errorCode(error) === undefined) throw error;
    return trouble(id, `spool read error: ${errorText(error)}`);
  }
}

/** What a delivery that goes on, or broke off, has done already. */
function addJournal({ id, nonRecipients }: Envelope, spool: Spool): void {
  const path = spool.existingPath(literal('input'), id, literal('-J'));
  if (path === undefined) return;
  try {
    for (const line of files.readText(path).split('\n').slice(0, -1)) nonRecipients.add(line);
  } catch (error) {
    if (errorCode(error) !== 'ENOENT') throw error;
  }
}

function headLine(envelope: Envelope, spool: Spool): string {
  const { id, sender, facts, receivedTime, originatorLogin } = envelope;
  const path = spool.existingPath(literal('input'), id, literal('-D'));
  const dataFile = path === undefined ? undefined : files.stat(path);
  const size = dataFile === undefined ? ' '.repeat(5) : formatMessageSize(messageSize(envelope, dataFile.size));
  const login = facts.senderSetUntrusted ? ` (${originatorLogin})` : '';
  const frozen = facts.frozen === undefined ? '' : ' *** frozen ***';
  return `${formatAge(clock.seconds() - receivedTime)} ${size} ${id} <${sender}>${login}${frozen}\n`;
}

/** Octets of header lines, the empty line and the body. */
function messageSize({ id, headers }: Envelope, dataFile: number): number {
  const body = Math.max(dataFile - `${id}-D\n`.length, 0);
  return headers.reduce((sum, { type, text }) => (type === '*' ? sum : sum + text.length), body + 1);
}

/** `25m`: minutes up to 90, then hours up to 72, then days. */
export function formatAge(seconds: number): string {
  const minutes = Math.trunc(seconds / 60);
  const hours = Math.trunc((minutes + 30) / 60);
  if (minutes <= 90) return `${String(minutes).padStart(2)}m`;
  return hours <= 72 ? `${String(hours).padStart(2)}h` : `${String(Math.trunc((hours + 12) / 24)).padStart(2)}d`;
}

const kilobyte = 1024;
const megabyte = 1024 * kilobyte;

/** ` 2.9K`: octets, kilobytes or megabytes in five characters. */
export function formatMessageSize(octets: number): string {
  if (octets < kilobyte) return String(octets).padStart(5);
  const [unit, letter] = octets < megabyte ? [kilobyte, 'K'] : [megabyte, 'M'];
  const digits = octets < 10 * unit ? (octets / unit).toFixed(1) : String(Math.round(octets / unit));
  return `${digits.padStart(4)}${letter}`;
}

function recipientLines(envelope: Envelope, { all, undelivered }: QueueListOptions): string {
  const { recipients, nonRecipients } = envelope;
  let lines = '';
  for (const { address } of recipients) {
    const done = isFinished(address, envelope);
    if (!(done && undelivered)) lines += `        ${done ? 'D' : ' '} ${address}\n`;
  }
  if (!all) return lines;
  const top = new Set(recipients.map(({ address }) => address));
  for (const address of [...nonRecipients].sort()) if (!top.has(address)) lines += `       +D ${address}\n`;
  return lines;
}
