/**
 * The three logs (Exim spec 53): main, reject and panic, in Exim's format. A line is in the file when the call returns.
 * Files are opened when first written to, and again when somebody renamed them, so that rotation needs no signal.
 */

import * as clock from '../lib/clock.ts';
import { errorText } from '../lib/errno.ts';
import { escapeSequence } from '../lib/escapes.ts';
import { upper } from '../lib/octets.ts';
import * as files from '../safe/files.ts';
import { type Clean, reviewed } from '../safe/taint.ts';
import type { LogSelection, LogSelector } from './log-selectors.ts';

export type LogName = 'main' | 'reject' | 'panic';

export interface LogSettings {
  /** Paths with `%s` for the log's name, and `%D` or `%M` for the date; "syslog" entries are not in this list. */
  readonly paths: readonly Clean[];
  /** More files are named than are used, which the first line that is written is told of. */
  readonly hasUnusedPaths: boolean;
  /** The system log, when the configuration asks for it. */
  readonly syslog?: SyslogSettings | undefined;
  readonly selection: LogSelection;
  readonly fileMode: number;
  readonly directoryMode: number;
  /** Files and directories made by root get this owner. */
  readonly owner?: { readonly uid: number; readonly gid: number } | undefined;
  /** Whether the time zone is added to the time. */
  readonly timezone: boolean;
  /** False suppresses the reject log. */
  readonly rejectLog: boolean;
  /** Sees every line too, without its time; `-v` and `-d` print it. */
  readonly echo?: ((logs: string, text: string, messageId: string | undefined) => void) | undefined;
  /** Sees lines for the panic log, as they stand in it; a command shows them to its caller. */
  readonly panicEcho?: ((line: string) => void) | undefined;
}

/** How lines go to the system log (Exim spec 14, syslog_*). */
export interface SyslogSettings {
  readonly log: { write(log: LogName, text: string): boolean; close(): void };
  readonly withTime: boolean;
  readonly withPid: boolean;
  /** A line for several logs is sent for each of them. */
  readonly duplicates: boolean;
}

interface OpenLog {
  readonly path: Clean;
  readonly file: files.Descriptor;
  readonly inode: number;
  /** When it was last looked whether the name still belongs to this file; milliseconds since 1970. */
  seen: number;
}

/** A log that is renamed gets at most this many milliseconds of lines more; one that is removed takes no more with it. */
const lookInterval = 50;

/** The longest line, without its time. */
const longest = 8192;

/** What comes from outside can neither begin a line of its own nor speak to a terminal; a tab does no harm. */
function oneLine(text: string): string {
  const short = text.length > longest ? `${text.slice(0, longest)}...` : text;
  return /[\x00-\x08\x0a-\x1f\x7f]/.test(short) ? short.replace(/[\x00-\x08\x0a-\x1f\x7f]/g, escapeSequence) : short;
}

const two = (n: number): string => String(n).padStart(2, '0');

let stampSecond = -1;
let stampText = '';

/** `2002-10-31 09:00:11`, in local time. */
export function timestamp(milliseconds: number): string {
  const second = Math.floor(milliseconds / 1000);
  if (second !== stampSecond) {
    const at = new Date(milliseconds);
    stampText = `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())} ${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}`;
    stampSecond = second;
  }
  return stampText;
}

/** `+0100` */
export function zone(milliseconds: number): string {
  const minutes = -new Date(milliseconds).getTimezoneOffset();
  const size = Math.abs(minutes);
  return `${minutes < 0 ? '-' : '+'}${two(Math.floor(size / 60))}${two(size % 60)}`;
}

/** The file of a log: `%s` becomes its name, `%D` and `%M` the date; the panic log has no date (Exim spec 53.3). */
export function logFileName(path: Clean, log: LogName, milliseconds: number): Clean {
  let name: string = path;
  if (log === 'panic') name = name.replace(/(?<=\/)%[DM][^A-Za-z0-9]?|[^A-Za-z0-9/]?%[DM]/g, '');
  const date = timestamp(milliseconds).slice(0, 10).replaceAll('-', '');
  const full = name.replace(/%[sDM]/g, (code) => (code === '%s' ? log : code === '%D' ? date : date.slice(0, 6)));
  return reviewed(full, 'made of a clean path, the name of a log and a date');
}

export class Logs {
  readonly settings: LogSettings;
  readonly #open = new Map<string, OpenLog>();
  #mustTellOfPaths: boolean;

  constructor(settings: LogSettings) {
    this.settings = settings;
    this.#mustTellOfPaths = settings.hasUnusedPaths;
  }

  selects(selector: LogSelector): boolean {
    return this.settings.selection.has(selector);
  }

  /** Writes `text` to the main log, behind the message's id if there is one. */
  main(text: string, messageId?: string): void {
    this.#log(['main'], text, messageId);
  }

  /** Writes to the main and the reject log; the latter also gets `header`, the lines of the refused message. */
  reject(text: string, messageId?: string, header = ''): void {
    this.#log(['main', 'reject'], text, messageId, header);
  }

  /** The same about something that the main log need not tell unless the selector is chosen. */
  rejectFor(selector: LogSelector, text: string, messageId?: string, header = ''): void {
    this.#log(this.selects(selector) ? ['main', 'reject'] : ['reject'], text, messageId, header);
  }

  /** Writes to the main and the panic log. */
  panic(text: string, messageId?: string): void {
    this.#log(['main', 'panic'], text, messageId);
  }

  /** Writes to the logs that are named. */
  write(logs: readonly LogName[], text: string, messageId?: string, header = ''): void {
    if (logs.length > 0) this.#log(logs, text, messageId, header);
  }

  /** Why the program ends: to the panic log alone, with the line ends that the text has. @throws never */
  lastWords(text: string): void {
    const at = clock.now();
    const lines = text.split('\n').map(oneLine).join('\n');
    for (const path of this.settings.paths) {
      try {
        files.write(this.#file('panic', path, at), `${this.#stamp(at)} ${lines}\n`);
      } catch {
        // it stands on standard error, too
      }
    }
  }

  /** Closes the files; the next line opens them again. */
  close(): void {
    this.settings.syslog?.log.close();
    for (const log of this.#open.values()) files.close(log.file);
    this.#open.clear();
  }

  #log(logs: readonly LogName[], text: string, messageId: string | undefined, header = ''): void {
    if (this.#mustTellOfPaths) {
      this.#mustTellOfPaths = false;
      this.panic(`More than one path given in log_file_path: using ${this.settings.paths[0]}`, messageId);
    }
    this.settings.echo?.(logs.map((log) => upper(log)).join(' '), text, messageId);
    const at = clock.now();
    const stamp = this.#stamp(at);
    const pid = this.selects('pid') ? ` [${process.pid}]` : '';
    const told = `${messageId === undefined ? '' : `${messageId} `}${oneLine(text)}\n`;
    const line = `${stamp}${pid} ${told}`;
    if (logs.includes('panic')) this.settings.panicEcho?.(line);
    const kept = logs.filter((log) => log !== 'reject' || this.settings.rejectLog);
    for (const log of kept) {
      if (log === kept.at(-1) || this.settings.syslog?.duplicates) {
        this.#toSyslog(log, stamp, pid, log === 'reject' ? told + header : told);
      }
      for (const path of this.settings.paths) this.#append(log, path, log === 'reject' ? line + header : line, at);
    }
  }

  #stamp(at: number): string {
    const milliseconds = this.selects('millisec') ? `.${String(at % 1000).padStart(3, '0')}` : '';
    return `${timestamp(at)}${milliseconds}${this.settings.timezone ? ` ${zone(at)}` : ''}`;
  }

  #toSyslog(log: LogName, stamp: string, pid: string, told: string): void {
    const { syslog } = this.settings;
    if (syslog === undefined) return;
    const line = `${syslog.withTime ? stamp : ''}${syslog.withPid ? pid : ''} ${told}`.replace(/^ /, '');
    if (!syslog.log.write(log, line)) process.stderr.write(`cannot write ${log} log to syslog: ${line}`);
  }

  /** A log that cannot be written must not stop the mail: the line goes to standard error instead. */
  #append(log: LogName, path: Clean, line: string, at: number): void {
    try {
      files.write(this.#file(log, path, at), line);
    } catch (error) {
      process.stderr.write(`cannot write ${log} log: ${errorText(error)}: ${line}`);
    }
  }

  #file(log: LogName, path: Clean, at: number): files.Descriptor {
    const name = logFileName(path, log, at);
    const key = `${log} ${path}`;
    const open = this.#open.get(key);
    if (open !== undefined) {
      if (open.path === name && at - open.seen < lookInterval && at >= open.seen) return open.file;
      open.seen = at;
      if (open.path === name && files.stat(name)?.ino === open.inode) return open.file;
      files.close(open.file);
      this.#open.delete(key);
    }
    const file = this.#create(name);
    this.#open.set(key, { path: name, file, inode: files.statOpen(file).ino, seen: at });
    return file;
  }

  /** Makes the directories of the logs, while this process may still make them anywhere. */
  prepare(): void {
    const { directoryMode, owner, paths } = this.settings;
    for (const path of paths) {
      const directory = files.parentOf(logFileName(path, 'main', clock.now()));
      if (directory === undefined || files.stat(directory) !== undefined) continue;
      if (files.makeDirectories(directory, directoryMode) && owner !== undefined) {
        files.setOwner(directory, owner.uid, owner.gid);
      }
    }
  }

  #create(name: Clean): files.Descriptor {
    const { fileMode, directoryMode, owner } = this.settings;
    if (files.stat(name) !== undefined) return files.open(name, files.createOrAppend, fileMode);
    const directory = files.parentOf(name);
    if (directory !== undefined && files.makeDirectories(directory, directoryMode) && owner !== undefined) {
      files.setOwner(directory, owner.uid, owner.gid);
    }
    const file = files.open(name, files.createOrAppend, fileMode);
    files.setMode(file, fileMode);
    if (owner !== undefined) files.setOwner(file, owner.uid, owner.gid);
    return file;
  }
}
