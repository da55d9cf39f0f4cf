/** Reads a filter file (Exim's filter specification 3). All of it is read before anything in it is done. */

import { Text } from '../safe/taint.ts';
import { readCondition } from './exim-parse-condition.ts';
import { FilterReader } from './exim-reader.ts';
import { type Command, type FilterCommand, type MailPart, mailParts } from './exim-tree.ts';
import type { FilterLimits } from './filter-outcome.ts';

export interface ParseRules {
  readonly isSystem: boolean;
  readonly limits: FilterLimits;
}

/** Ifs in ifs. */
const mostNested = 200;

type Read = (reader: FilterReader, name: string, rules: ParseRules) => FilterCommand;

function argument(reader: FilterReader, name: string): Text {
  const value = reader.item();
  if (value.value === '') reader.fail(`"${name}" requires an argument near line ${reader.line} of filter file`);
  return value;
}

/** A mode in octal digits, when there is a number. */
function modeOf(reader: FilterReader): number | undefined {
  if (!/^[0-9]$/.test(reader.next)) return undefined;
  return Number.parseInt(/^[0-7]*/.exec(reader.item().value)?.[0] || '0', 8);
}

const readAdd: Read = (reader, name) => {
  const number = argument(reader, name);
  if (reader.word() !== 'to') reader.fail(`"to" expected in "add" command near line ${reader.line} of filter file`);
  const variable = reader.item();
  if (variable.value === '') reader.fail(`value missing after "to" near line ${reader.line} of filter file`);
  return { kind: 'add', number, variable };
};

const readDeliver: Read = (reader, name) => {
  const address = argument(reader, name);
  const hasErrorsTo = reader.tryWord((word) => word === 'errors_to') !== undefined;
  return { kind: 'deliver', address, errorsTo: hasErrorsTo ? reader.item() : undefined };
};

const readHeaders: Read = (reader, name, { isSystem }) => {
  const what = argument(reader, name).value;
  if (what !== 'charset' && !isSystem) {
    reader.fail(
      `header addition and removal is available only in system filters: near line ${reader.line} of filter file`,
    );
  }
  if (what !== 'add' && what !== 'remove' && what !== 'charset') {
    return reader.fail(
      `"add", "remove", or "charset" expected after "headers" near line ${reader.line} of filter file`,
    );
  }
  const value = reader.item();
  if (value.value === '') {
    reader.fail(`value missing after "add", "remove", or "charset" near line ${reader.line} of filter file`);
  }
  return { kind: 'headers', what, value };
};

const namesOfParts: ReadonlySet<string> = new Set(mailParts);

/** What `vacation` says when the command does not. */
const vacationParts: Readonly<Partial<Record<MailPart, Text>>> = {
  subject: Text.configured('On vacation'),
  file: Text.configured('.vacation.msg'),
  log: Text.configured('.vacation.log'),
  once: Text.configured('.vacation'),
  once_repeat: Text.configured('7d'),
};

function readMail(kind: 'mail' | 'vacation'): Read {
  return (reader) => {
    const parts: Partial<Record<MailPart, Text>> = {};
    let expandFile = kind === 'vacation';
    let returnMessage = false;
    const isKeyword = (word: string): boolean => namesOfParts.has(word) || word === 'return' || word === 'expand';
    for (let word = reader.tryWord(isKeyword); word !== undefined; word = reader.tryWord(isKeyword)) {
      if (word === 'return') {
        if (reader.word() !== 'message') {
          reader.fail(`"return" not followed by "message"  near line ${reader.line} of filter file`);
        }
        returnMessage = true;
        continue;
      }
      const expands = word === 'expand';
      if (expands && reader.word() !== 'file') {
        reader.fail(`"expand" not followed by "file"  near line ${reader.line} of filter file`);
      }
      const part = expands ? 'file' : (word as MailPart);
      if (part === 'file') expandFile = expands;
      parts[part] = reader.item();
    }
    return { kind, parts: kind === 'vacation' ? { ...vacationParts, ...parts } : parts, expandFile, returnMessage };
  };
}

/** `text` may be left out before a quoted string. */
function readEnd(kind: 'defer' | 'fail' | 'freeze', isAllowed: (limits: FilterLimits) => boolean): Read {
  return (reader, name, { limits, isSystem }) => {
    if (!isSystem && !isAllowed(limits)) {
      reader.fail(`filtering command "${name}" is disabled: near line ${reader.line} of filter file`);
    }
    const hasText = reader.next === '"' || reader.tryWord((word) => word === 'text') !== undefined;
    return { kind, text: hasText ? reader.item() : Text.empty };
  };
}

/** All commands but `if`, which holds others. */
const commands: ReadonlyMap<string, Read> = new Map<string, Read>([
  ['add', readAdd],
  ['defer', readEnd('defer', ({ allowDefer }) => allowDefer)],
  ['deliver', readDeliver],
  ['fail', readEnd('fail', ({ allowFail }) => allowFail)],
  ['finish', () => ({ kind: 'finish' })],
  ['freeze', readEnd('freeze', ({ allowFreeze }) => allowFreeze)],
  ['headers', readHeaders],
  ['logfile', (reader, name) => ({ kind: 'logfile', file: argument(reader, name), mode: modeOf(reader) })],
  ['logwrite', (reader, name) => ({ kind: 'logwrite', text: argument(reader, name) })],
  ['mail', readMail('mail')],
  ['pipe', (reader, name) => ({ kind: 'pipe', command: argument(reader, name) })],
  ['save', (reader, name) => ({ kind: 'save', file: argument(reader, name), mode: modeOf(reader) })],
  ['testprint', (reader, name) => ({ kind: 'testprint', text: argument(reader, name) })],
  ['vacation', readMail('vacation')],
]);

/** Those that cannot be told to be seen, unseen or without errors. */
const unmarked: ReadonlySet<string> = new Set(['add', 'headers']);

/** Where a list of commands may end. */
type Ending = 'file' | 'else' | 'endif';

class Parser {
  readonly #reader: FilterReader;
  readonly #rules: ParseRules;

  constructor(text: Text, rules: ParseRules) {
    this.#reader = new FilterReader(text);
    this.#rules = rules;
  }

  /** Commands up to a word that ends them: the end of the file, or one of those that go on with an `if`. */
  commands(ending: Ending, depth: number): { readonly commands: readonly Command[]; readonly end: string } {
    const reader = this.#reader;
    if (depth > mostNested) reader.fail(`too many nested "if" commands near line ${reader.line} of filter file`);
    const read: Command[] = [];
    let seen: boolean | undefined;
    let noError = false;
    for (;;) {
      if (reader.atEnd) {
        const line = reader.line;
        if (seen !== undefined) reader.fail(`"seen" or "unseen" near line ${line} is not followed by a command`);
        if (noError) reader.fail(`"noerror" near line ${line} is not followed by a command`);
        if (ending !== 'file') reader.fail('"endif" missing at end of filter file');
        return { commands: read, end: '' };
      }
      const word = reader.command();
      if (word === 'seen' || word === 'unseen') {
        if (seen !== undefined) reader.fail(`"seen" or "unseen" repeated near line ${reader.line}`);
        seen = word === 'seen';
      } else if (word === 'noerror') {
        noError = true;
      } else if (word === 'else' || word === 'elif' || word === 'endif') {
        this.#checkEnd(word, ending, seen !== undefined || noError);
        return { commands: read, end: word };
      } else {
        read.push({ ...this.#command(word, seen !== undefined || noError, depth), seen, noError });
        seen = undefined;
        noError = false;
      }
    }
  }

  #checkEnd(word: string, ending: Ending, marked: boolean): void {
    const reader = this.#reader;
    if (ending === 'file') reader.fail(`unexpected "${word}" command near line ${reader.line} of filter file`);
    if (marked) {
      reader.fail(`"seen", "unseen", or "noerror" near line ${reader.line} is not followed by a command`);
    }
    if (ending === 'endif' && word !== 'endif') {
      reader.fail(`"endif" missing near line ${reader.line} of filter file`);
    }
  }

  #command(word: string, marked: boolean, depth: number): FilterCommand {
    const reader = this.#reader;
    const { line } = reader;
    if (word === 'if') {
      if (marked) reader.fail(`"seen", "unseen", or "noerror" found before an "if" command near line ${line}`);
      return this.#if(depth);
    }
    const read = commands.get(word);
    if (read === undefined) return reader.fail(`unknown filtering command "${word}" near line ${line} of filter file`);
    if (marked && unmarked.has(word)) {
      reader.fail(`"seen", "unseen", or "noerror" found before an "${word}" command near line ${line}`);
    }
    return read(reader, word, this.#rules);
  }

  #if(depth: number): FilterCommand {
    const branches: { condition: ReturnType<typeof readCondition>; commands: readonly Command[] }[] = [];
    for (;;) {
      const condition = readCondition(this.#reader);
      const { commands: then, end } = this.commands('else', depth + 1);
      branches.push({ condition, commands: then });
      if (end === 'elif') continue;
      const otherwise = end === 'else' ? this.commands('endif', depth + 1).commands : [];
      return { kind: 'if', branches, otherwise };
    }
  }
}

/** @throws FilterMistake */
export function parseEximFilter(text: Text, rules: ParseRules): readonly Command[] {
  return new Parser(text, rules).commands('file', 0).commands;
}
