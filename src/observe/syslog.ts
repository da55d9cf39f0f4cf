/** The system log as a place for log lines (Exim spec 53.4): severities, facilities, and lines that are not too long. */

import * as clock from '../lib/clock.ts';
import { lower } from '../lib/octets.ts';
import { DatagramSocket } from '../safe/datagrams.ts';
import { type Clean, literal } from '../safe/taint.ts';
import type { LogName } from './main-log.ts';

const facilities = {
  user: 1,
  mail: 2,
  daemon: 3,
  news: 7,
  uucp: 8,
  local0: 16,
  local1: 17,
  local2: 18,
  local3: 19,
  local4: 20,
  local5: 21,
  local6: 22,
  local7: 23,
} as const;

const severities: Readonly<Record<LogName, number>> = { main: 6, reject: 5, panic: 1 };

/** The number of a facility, whatever the case of its letters. */
export function facilityNamed(name: string): number | undefined {
  const small = lower(name);
  return Object.hasOwn(facilities, small) ? facilities[small as keyof typeof facilities] : undefined;
}

/** Octets of a text in one datagram; with what is put in front it stays below the 1024 of RFC 3164. */
const longestPart = 870;

/**
 * The text in parts: at each newline, and where it would be too long. When there are several, each tells its place, and
 * by the stroke whether a newline (`\\`) or the length (`/`) ended it.
 */
export function syslogParts(text: string): string[] {
  const parts: { readonly text: string; readonly atNewline: boolean }[] = [];
  const lines = (text.endsWith('\n') ? text.slice(0, -1) : text).split('\n');
  for (const [i, line] of lines.entries()) {
    for (let at = 0; at === 0 || at < line.length; at += longestPart) {
      const isLast = at + longestPart >= line.length;
      parts.push({ text: line.slice(at, at + longestPart), atNewline: isLast && i < lines.length - 1 });
    }
  }
  if (parts.length === 1) return parts.map((part) => part.text);
  return parts.map((part, i) => `[${i + 1}${part.atNewline ? '\\' : '/'}${parts.length}] ${part.text}`);
}

const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/** `Nov 30 19:04:10`, as system logs have it. */
function shortTime(milliseconds: number): string {
  const at = new Date(milliseconds);
  const two = (n: number): string => String(n).padStart(2, '0');
  const day = String(at.getDate()).padStart(2);
  return `${months[at.getMonth()]} ${day} ${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}`;
}

export class SystemLog {
  readonly #socket: DatagramSocket;
  readonly #facility: number;
  readonly #name: string;

  constructor(facility: number, name: string, path: Clean = literal('/dev/log')) {
    this.#facility = facility;
    this.#name = name;
    this.#socket = new DatagramSocket(path);
  }

  /** Files a text under the severity of a log; false when the system log cannot be reached. */
  write(log: LogName, text: string): boolean {
    const front = `<${this.#facility * 8 + severities[log]}>${shortTime(clock.now())} ${this.#name}[${process.pid}]: `;
    return syslogParts(text).every((part) => this.#socket.send(Buffer.from(front + part, 'latin1')));
  }

  close(): void {
    this.#socket.close();
  }
}
