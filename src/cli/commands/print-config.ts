/** `-bP config`: the configuration as it was read, files included and macros replaced, one logical line to a line. */

import type { Config } from '../../config/config.ts';
import { productVersion } from '../../expand/version.ts';
import { trim } from '../../lib/octets.ts';
import { notDisplayable } from '../../options/print.ts';

/** `name:` alone, which begins an ACL or a driver instance. */
const heading = /^[A-Za-z0-9_]+ ?:$/;
/** Where a file begins or goes on: `# 12 "/etc/exim.conf"`. */
const marker = /^# \d+ "/;
/** Hidden settings and all that could be a macro. */
const secret = /^(?:hide |[A-Z])/;

/** A secret line up to its equals sign; all of it when it has none. */
function concealed(line: string): string {
  const equals = line.indexOf('=');
  return equals < 0 ? notDisplayable : `${line.slice(0, equals + 1)} ${notDisplayable}`;
}

const blank = /[ \t-\r]/;

/**
 * Runs of blanks as one, up to a value in quotes. Exim looks for the quote behind the blanks as they were before it took
 * any away, so after several of them it finds one that stands further on.
 */
function withSingleBlanks(line: string): string {
  let text = line;
  for (let at = 0; at < text.length; at++) {
    if (!blank.test(text[at] ?? '')) continue;
    let end = at + 1;
    while (blank.test(text[end] ?? '')) end++;
    text = `${text.slice(0, at)} ${text.slice(end)}`;
    if (text[end] === '"' || text[end] === "'") break;
  }
  return text;
}

/** Sections and instances are indented unless `terse`; secrets are for administrators. */
export function configLines(
  { file, lines }: Pick<Config, 'file' | 'lines'>,
  { isAdmin, terse }: { readonly isAdmin: boolean; readonly terse: boolean },
): string[] {
  const shown = [`# Tabella Configuration (${productVersion})`, `# 1 "${file}"`];
  let indent = '';
  const begin = (line: string, at: string, inside: string): void => {
    if (!terse) shown.push('');
    shown.push(terse ? line : at + line);
    indent = terse ? '' : inside;
  };
  for (const kept of lines) {
    if (marker.test(kept)) {
      shown.push(kept);
      continue;
    }
    const line = withSingleBlanks(trim(kept));
    if (line.startsWith('begin ')) begin(line, '', '  ');
    else if (indent !== '' || terse ? heading.test(line) : false) begin(line, '  ', '    ');
    else if (!isAdmin && secret.test(line)) {
      const text = concealed(line);
      shown.push(text === notDisplayable ? text : indent + text);
    } else shown.push(indent + line);
  }
  return shown;
}
