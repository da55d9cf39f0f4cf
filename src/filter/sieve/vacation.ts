/** The command `vacation` (RFC 5230): an answer to who wrote to somebody in person, now and then. */

import { crypto } from '../../lib/crypto.ts';
import { lower, upper } from '../../lib/octets.ts';
import { parseAddress } from '../../mail/address.ts';
import { encodeWords } from '../../mail/encoded-word.ts';
import { Text } from '../../safe/taint.ts';
import { isPersonal } from '../exim-personal.ts';
import { quotedPrintable } from './quoted-printable.ts';
import type { SieveState } from './state.ts';
import { tidyDirectory } from './vacation-directory.ts';

const secondsPerDay = 86_400;
/** What `:days` may come to. */
const mostDays = 31;

/** Headers in which the user must be named (RFC 5230 §4.5), as Exim has them. */
const recipientHeaders = ['to', 'cc', 'bcc'];

interface Options {
  days: number;
  subject: string | undefined;
  from: string | undefined;
  addresses: readonly string[];
  mime: boolean;
  /** What stands for the answer in the name of its file: the last of `:from` and `:handle`, as in Exim. */
  named: string;
}

/** Reads the value of a tag. */
type ReadTag = (options: Options, state: SieveState) => void;

const tags = {
  days: (options, { reader }) => {
    reader.skip();
    options.days = Math.min(Math.max(reader.number(), 1), mostDays);
  },
  subject: (options, { reader }) => {
    options.subject = reader.requiredString('subject string expected');
  },
  from: (options, { reader }) => {
    const from = reader.requiredString('from string expected');
    const parsed = parseAddress(from);
    if ('error' in parsed) throw reader.mistake(`malformed address "${from}" (${parsed.error})`);
    options.from = from;
    options.named = from;
  },
  addresses: (options, { reader }) => {
    options.addresses = reader.stringList('addresses string list expected');
  },
  mime: (options) => {
    options.mime = true;
  },
  handle: (options, { reader }) => {
    options.named = reader.requiredString('handle string expected');
  },
} satisfies Record<string, ReadTag>;
const tagNames = Object.keys(tags) as readonly (keyof typeof tags)[];

/** @throws SieveMistake */
function readOptions(state: SieveState): Options {
  const options: Options = {
    days: 7,
    subject: undefined,
    from: undefined,
    addresses: [],
    mime: false,
    named: '',
  };
  for (;;) {
    state.reader.skip();
    const tag = state.reader.takeTag(tagNames);
    if (tag === undefined) return options;
    tags[tag](options, state);
  }
}

/** The name of the file that remembers who got this answer: the same answer has the same name (as in Exim). */
function nameOf({ subject = '', named, mime }: Options, reason: string): string {
  const key = `${subject}${named}${mime ? '1' : '0'}${reason}`;
  return upper(crypto().createHash('md5').update(Buffer.from(key, 'latin1')).digest('hex'));
}

/** As encoded words, each on a line of its own. */
const encodedSubject = (subject: string): string => encodeWords(subject, 'utf-8').replaceAll('?= =?', '?=\n =?');

function subjectFor({ subject }: Options, state: SieveState): string {
  if (subject !== undefined) return encodedSubject(subject);
  const original = state.message.header('subject');
  return original === undefined ? 'Automated reply' : encodedSubject(`Auto: ${original}`);
}

/** Header lines and text of the answer. With `:mime` the reason brings its own lines, up to the first empty one. */
function contentOf({ mime }: Options, reason: string): { readonly headers: string; readonly text: string } {
  if (mime) {
    const plain = reason.replaceAll('\r\n', '\n');
    const end = plain.indexOf('\n\n');
    if (end < 0) return { headers: plain.replace(/\n+$/, ''), text: '' };
    return { headers: plain.slice(0, end), text: plain.slice(end + 2) };
  }
  return {
    headers:
      'MIME-Version: 1.0\nContent-Type: text/plain;\n\tcharset="utf-8"\nContent-Transfer-Encoding: quoted-printable',
    text: quotedPrintable(reason),
  };
}

function answer(options: Options, reason: string, state: SieveState): void {
  const { context, ownAddresses, test, isDry, user } = state.request;
  const own = new Set([...ownAddresses, ...options.addresses].map(lower));
  if (!isPersonal(own, context, recipientHeaders)) {
    state.explain('Sieve: mail was not personal, vacation would ignore it');
    return;
  }
  const name = nameOf(options, reason);
  if (test !== undefined) {
    state.explain(`Sieve: mail was personal, vacation file basename: ${name}`);
    return;
  }
  const directory = state.facts.vacationDirectory ?? Text.empty;
  if (!isDry) tidyDirectory(directory, mostDays * secondsPerDay, user);
  state.actions.push({
    kind: 'reply',
    noError: true,
    reply: {
      to: state.message.sender,
      from: options.from ?? ownAddresses.at(-1),
      subject: subjectFor(options, state),
      ...contentOf(options, reason),
      once: Text.join([directory, Text.configured(`/${name}`)]),
      onceRepeat: options.days * secondsPerDay,
    },
  });
}

export function vacation(state: SieveState, isRun: boolean): undefined {
  const { reader } = state;
  state.require('vacation');
  if (isRun) {
    if (state.vacationRan) throw reader.mistake('trying to execute vacation more than once');
    state.vacationRan = true;
  }
  const options = readOptions(state);
  const reason = reader.requiredString('missing reason string');
  if (options.mime && /[\x80-\xff]/.test(reason)) throw reader.mistake('MIME reason string contains 8bit text');
  reader.semicolon();
  if (isRun) answer(options, reason, state);
}
