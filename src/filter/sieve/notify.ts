/** The command `notify` (RFC 5435, RFC 5436): a letter that says that one has come. */

import { parseAddress } from '../../mail/address.ts';
import { encodeWords } from '../../mail/encoded-word.ts';
import { parseMailto } from './mailto.ts';
import type { SieveState } from './state.ts';

interface Options {
  from?: string;
  message?: string;
}

const tagNames = ['from', 'importance', 'message', 'options'] as const;

/** Reads the value of a tag. How important it is, and options of the method, change nothing in a letter. */
const tags: Readonly<Record<(typeof tagNames)[number], (options: Options, state: SieveState) => void>> = {
  from: (options, { reader }) => {
    const from = reader.requiredString('from string expected');
    // as in Exim, what is no address is passed over
    if (!('error' in parseAddress(from))) options.from = from;
  },
  importance: (_, { reader }) => {
    if (!/^[123]$/.test(reader.requiredString('importance string expected')))
      throw reader.mistake('invalid importance');
  },
  message: (options, { reader }) => {
    options.message = reader.requiredString('message string expected').replace(/[\r\n]+/g, ' ');
  },
  options: (_, { reader }) => {
    reader.stringList('options string list expected');
  },
};

export function notify(state: SieveState, isRun: boolean): undefined {
  const { reader } = state;
  state.require('enotify');
  const options: Options = {};
  for (;;) {
    reader.skip();
    const tag = reader.takeTag(tagNames);
    if (tag === undefined) break;
    tags[tag](options, state);
  }
  const method = reader.requiredString('missing method string');
  const mailto = parseMailto(method);
  if ('error' in mailto) throw reader.mistake(mailto.error);
  reader.semicolon();
  if (!isRun) return;
  const owner = state.facts.enotifyMailtoOwner ?? '';
  const subject = options.message ?? mailto.subject ?? state.message.header('subject') ?? '';
  const lines = [
    `From: ${options.from ?? owner}\n`,
    mailto.to === '' ? '' : `To: ${mailto.to}\n`,
    mailto.cc === '' ? '' : `Cc: ${mailto.cc}\n`,
    mailto.bcc === '' ? '' : `Bcc: ${mailto.bcc}\n`,
    `Auto-Submitted: auto-notified; ${owner}\n`,
    mailto.headers,
    `Subject: ${encodeWords(subject, 'utf-8')}\n`,
    `\n${mailto.body === '' ? '' : `${mailto.body.replace(/\n*$/, '')}\n`}`,
  ];
  state.explain(`Notification to \`${method}': '${subject}'.`);
  state.notify({ sender: owner, text: lines.join('') });
}
