/**
 * Hostile texts for queries of any kind, and the four ways a text from outside can come into one, for tests that try to
 * make a query do something else.
 */

import { Text } from '../safe/taint.ts';

export const hostile: readonly string[] = [
  "' or '1'='1",
  "'; delete from t; --",
  "\\'; delete from t; --",
  '" or ""="',
  "x' union select password from secrets --",
  "');drop table t;--",
  '$$; delete from t; $$',
  '$1',
  '?',
  '*/ or 1=1 /*',
  '1 or 1=1',
  '\\',
  "''",
  "'",
  "a'b",
  '*)(uid=*',
  '*',
  'x,o=top',
  '\nflushall\n',
  '\r\nFLUSHALL\r\n',
  '%2a%29%28uid=%2a',
  'a b',
  'é\u00ff',
].map((text) => Buffer.from(text, 'utf8').toString('latin1'));

/** The query with `value` from outside wherever it says `{}`: bare, quoted by `quote`, and quoted for another type. */
export function waysIn(query: string, value: string, driver: string, quote: (text: string) => string): readonly Text[] {
  const raw = Text.tainted(value);
  const pieces = [raw, Text.quoted(quote(value), driver, raw), Text.quoted(value, 'lsearch', raw)];
  return pieces.map((piece) =>
    Text.join(
      query
        .split('{}')
        .flatMap((part, index) => (index === 0 ? [Text.configured(part)] : [piece, Text.configured(part)])),
    ),
  );
}
