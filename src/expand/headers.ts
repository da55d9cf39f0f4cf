/** `$h_name:` and its three relatives (Exim spec 11.5, item $header_). */

import { lower, trim } from '../lib/octets.ts';
import { decodeWords } from '../mail/encoded-word.ts';
import { headerBody, headerName } from '../mail/header-line.ts';
import { Text } from '../safe/taint.ts';
import type { Context } from './context.ts';
import type { HeaderNode } from './tree.ts';

/** The most that one reference inserts. */
const maximumLength = 64 * 1024;

const addressHeaders = new Set(['from', 'sender', 'reply-to', 'to', 'cc', 'bcc']);

/** Reads the header lines of that name; answers nothing when the message has none. */
export function headerReader(node: HeaderNode): (context: Context) => Text | undefined {
  const wanted = lower(node.name);
  return (context) => {
    const lines = context.message?.headers;
    if (lines === undefined) return undefined;
    const bodies: string[] = [];
    let found = false;
    for (const line of lines) {
      if (line.type === '*' || (wanted !== '' && lower(headerName(line.text)) !== wanted)) continue;
      found = true;
      bodies.push(headerBody(line.text));
    }
    return found ? Text.tainted(present(node.form, wanted, bodies, context).slice(0, maximumLength)) : undefined;
  };
}

function present(form: HeaderNode['form'], name: string, bodies: readonly string[], context: Context): string {
  if (form === 'rheader') return bodies.join('');
  if (form === 'lheader') return bodies.map((body) => body.replace(/\n$/, '').replaceAll(':', '::')).join(':');
  const text = bodies
    .map((body) => trim(body))
    .filter((body) => body !== '')
    .join(addressHeaders.has(name) ? ',\n' : '\n');
  return decodeWords(text, {
    checkLength: context.settings.checkRfc2047Length,
    charset: form === 'header' ? (context.filter?.charset ?? context.settings.headersCharset) : undefined,
  });
}
