/** Translates Exim 3 text in a test, and looks for lines in what comes of it. */

import assert from 'node:assert/strict';
import { Problems } from '../problems.ts';
import { translateExim3 } from './translate.ts';

export interface Sections {
  readonly main?: string;
  readonly transports?: string;
  readonly directors?: string;
  readonly routers?: string;
  readonly retry?: string;
  readonly rewrite?: string;
}

/** The lines of the new text without comments, each without blanks around it, and what was told. */
export function translate({
  main = '',
  transports = '',
  directors = '',
  routers = '',
  retry = '',
  rewrite = '',
}: Sections): {
  readonly lines: readonly string[];
  readonly text: string;
  readonly told: readonly string[];
} {
  const problems = new Problems();
  const old = [main, transports, directors, routers, retry, rewrite, ''].join('\nend\n');
  const { text, numbers } = translateExim3('/etc/exim.conf', old, new Map(), problems);
  assert.equal(text.split('\n').length - 1, numbers.length);
  const lines = text.split('\n').map((line) => line.replace(/^ +| +$/g, ''));
  return {
    text,
    lines: lines.filter((line) => line !== '' && !line.startsWith('#')),
    told: problems.all.map(({ severity, message }) => `${severity}: ${message}`),
  };
}

/** All lines are there; of those that begin with `no: ` none. */
export function has(lines: readonly string[], wanted: readonly string[]): void {
  for (const line of wanted) {
    if (line.startsWith('no: ')) assert.ok(!lines.includes(line.slice(4)), line);
    else assert.ok(lines.includes(line), `${line} is missing in:\n${lines.join('\n')}`);
  }
}
