import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { MalformedMessage, nameOctets, WireReader } from './dns-wire.ts';

function read(octets: Buffer, at = 0, end = octets.length): string {
  return new WireReader(octets, at, end).name();
}

const latin = (text: string) => Buffer.from(text, 'latin1');
const label63 = 'a'.repeat(63);

test('a name is written label by label and read back', () => {
  assert.deepEqual(Buffer.from(nameOctets('Mail.example') ?? []), latin('\x04Mail\x07example\0'));
  assert.deepEqual(nameOctets('_25._tcp.mx.example.'), nameOctets('_25._tcp.mx.example'));
  assert.deepEqual(Buffer.from(nameOctets('.') ?? []), latin('\0'));
  const label = fc.stringMatching(/^[a-zA-Z0-9_/-]{1,20}$/);
  fc.assert(
    fc.property(fc.array(label, { minLength: 1, maxLength: 10 }), (labels) => {
      const octets = nameOctets(labels.join('.'));
      assert.equal(octets && read(Buffer.from(octets)), labels.join('.'));
    }),
  );
});

test('a name that cannot be in the DNS has no octets', () => {
  const longest = `${label63}.${label63}.${label63}.${'b'.repeat(61)}`;
  assert.equal(nameOctets(longest)?.length, 255);
  for (const name of [
    `${longest}b`,
    `${label63}a.example`,
    'a..b',
    '.a',
    'a b',
    'caf\xe9.example',
    'a\\.b',
    'a\0b',
    'a\nb',
    '..',
  ]) {
    assert.equal(nameOctets(name), undefined, name);
  }
});

test('octets that are special in a label are escaped as the C library does it', () => {
  const label = 'a.b\xe9\x01 "@$;()\\\0_*/:,\x7f~';
  const text = read(Buffer.concat([Buffer.from([label.length]), latin(label), latin('\x04test\0')]));
  assert.equal(text, 'a\\.b\\233\\001\\032\\"\\@\\$\\;\\(\\)\\\\\\000_*/:,\\127~.test');
});

test('a compressed name goes on earlier in the message, and reading goes on behind the pointer', () => {
  const octets = latin('\x07example\0\x04mail\xc0\x00next');
  const reader = new WireReader(octets, 9, octets.length);
  assert.equal(reader.name(), 'mail.example');
  assert.equal(reader.take(4).toString(), 'next');
});

test('names that loop, lead forward, have no end or are too long are malformed', () => {
  const long = Buffer.concat(Array.from({ length: 5 }, () => latin(`\x3f${label63}`)));
  const cases: readonly (readonly [Buffer, number])[] = [
    [latin('\xc0\x00'), 0],
    [latin('\x01a\xc0\x00'), 0],
    [latin('\x01a\xc0\x00'), 2],
    [latin('\xc0\x02\x01a\0'), 0],
    [latin('\x05abc'), 0],
    [latin('\x03abc'), 0],
    [latin('\x40abc\0'), 0],
    [latin('\x80\0'), 0],
    [latin('\xc0'), 0],
    [Buffer.concat([long, latin('\0')]), 0],
    [Buffer.alloc(0), 0],
  ];
  for (const [octets, at] of cases) assert.throws(() => read(octets, at), MalformedMessage, octets.toString('latin1'));
});

test('a chain of pointers is followed only so far', () => {
  const many = Buffer.alloc(2 + 2 * 300);
  for (let i = 1; i <= 300; i++) many.writeUInt16BE(0xc000 | (2 * (i - 1)), 2 * i);
  assert.equal(read(many, 2 * 127), '');
  assert.throws(() => read(many, 2 * 128), MalformedMessage);
});

test('a name ends within its record', () => {
  const octets = latin('\x03abc\0');
  assert.equal(read(octets), 'abc');
  assert.throws(() => read(octets, 0, 4), MalformedMessage);
});
