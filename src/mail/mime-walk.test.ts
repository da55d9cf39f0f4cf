/** Parts, their header lines and their content; test/oracle/mime.ts compares the same with the real Exim at random. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decoderFor } from './mime-decoder.ts';
import { MimeLines } from './mime-lines.ts';
import { contentOf, type MimePart, walkParts } from './mime-walk.ts';

/** Reads as a file does, in small pieces when asked to. */
function linesOf(text: string, piece = 1_000_000): MimeLines {
  const octets = Buffer.from(text, 'latin1');
  return new MimeLines(async (buffer, at) => octets.copy(buffer, 0, at, Math.min(at + piece, octets.length)), 0);
}

async function decoded(part: MimePart, lines: MimeLines): Promise<string> {
  const decoder = decoderFor(part.header.contentTransferEncoding);
  const pieces: Buffer[] = [];
  for await (const line of contentOf(part, lines)) pieces.push(decoder.push(line));
  return Buffer.concat([...pieces, decoder.end()]).toString('latin1');
}

async function tell(text: string, piece?: number): Promise<string[]> {
  const lines = linesOf(text, piece);
  const told: string[] = [];
  await walkParts(lines, true, async (part) => {
    const { contentType, filename } = part.header;
    told.push(`${part.number} ${contentType} ${filename} ${part.isCoverLetter} ${await decoded(part, lines)}`);
    return true;
  });
  return told;
}

const message = [
  'Content-Type: multipart/mixed; boundary="a b"\n\n--a b\nContent-Type: text/plain\n\none\n',
  "--a b\nContent-Type: multipart/alternative; boundary=c\n\n--c\n\ntwo\n--c\nContent-Type: t/q; name*=x''%41\n",
  'Content-Transfer-Encoding: base64\n\ndGhyZWU=\n--c--\n--a b--\nbehind\n',
].join('');

test('parts are found in their order, whatever pieces the file is read in', async () => {
  const parts = await tell(message);
  assert.deepEqual(parts.slice(1), [
    '1 text/plain  true one\n',
    "2 multipart/alternative  false --c\n\ntwo\n--c\nContent-Type: t/q; name*=x''%41\nContent-Transfer-Encoding: base64\n\ndGhyZWU=\n--c--\n",
    '3   false two\n',
    '4 t/q A false three',
  ]);
  assert.deepEqual(await tell(message, 7), parts);
});

test('a visitor that answers false sees no further part', async () => {
  let seen = 0;
  const end = await walkParts(linesOf(message), true, async () => ++seen < 2);
  assert.deepEqual([end, seen], ['stopped', 2]);
});

test('multiparts within each other are looked at two hundred deep, and no deeper', async () => {
  const nested = (depth: number): string =>
    Array.from({ length: depth }, (_, i) => `Content-Type: multipart/mixed; boundary=b${i}b\n\n--b${i}b\n`).join('');
  const walk = (depth: number): Promise<string> => walkParts(linesOf(`${nested(depth)}\nx\n`), true, async () => true);
  assert.deepEqual(await Promise.all([walk(200), walk(201)]), ['all seen', 'too deep']);
});

test('an endless header line and an endless content line cost no more than their limits', async () => {
  const long = 'x'.repeat(1_000_000);
  const [part = ''] = await tell(`Content-Type: t/p; name=${long}\nContent-ID: ${long}\n\n${long}\n`);
  assert.equal(part.length, '0 t/p  true '.length + 8192 - 'content-type:t/p;name='.length + long.length + 1);
});

for (const [encoding, text, expected, level] of [
  ['base64', 'aGVsbG8=', 'hello', undefined],
  ['base64', 'aGV sbG8=', 'hello', 2],
  ['base64', 'aGVsbG8=aGVsbG8=', 'hellohello', undefined],
  ['quoted-printable', 'a=41=\nb', 'aAb\n', undefined],
  ['quoted-printable', 'a=4', 'a=4\n', 1],
  ['7bit', 'a=41', 'a=41\n', undefined],
] as const) {
  test(`${encoding} ${JSON.stringify(text)} gives ${JSON.stringify(expected)}`, () => {
    const decoder = decoderFor(encoding);
    const pieces = text.split('\n').map((line) => decoder.push(`${line}\n`));
    assert.equal(Buffer.concat([...pieces, decoder.end()]).toString('latin1'), expected);
    assert.equal(decoder.anomaly?.level, level);
  });
}
