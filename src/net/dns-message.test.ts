import assert from 'node:assert/strict';
import { test } from 'node:test';
import packet, { type Answer } from 'dns-packet';
import fc from 'fast-check';
import { interpret } from './dns-answer.ts';
import { isReplyTo, isTruncated, readMessage, type WireRecord, writeQuery } from './dns-message.ts';
import { type RecordType, rawData, recordData, typeNumber } from './dns-records.ts';
import { nameOctets } from './dns-wire.ts';

function query(name: string, type: number, edns = true): Buffer {
  const octets = nameOctets(name);
  assert.ok(octets);
  return writeQuery({ id: 0x1234, name: octets, type, edns, dnssec: edns, wantAuthentic: true });
}

const base = { name: 'a.example', ttl: 60, class: 'IN' } as const;
const samples: readonly Answer[] = [
  { ...base, type: 'A', data: '192.0.2.1' },
  { ...base, type: 'AAAA', data: '2001:db8::1' },
  { ...base, type: 'CNAME', data: 'b.example' },
  { ...base, type: 'MX', data: { preference: 10, exchange: 'mx.example' } },
  { ...base, type: 'NS', data: 'ns.example' },
  { ...base, type: 'PTR', data: 'host.example' },
  { ...base, type: 'SRV', data: { priority: 1, weight: 2, port: 25, target: 'srv.example' } },
  { ...base, type: 'TXT', data: [Buffer.from('v=spf1 \xe9', 'latin1'), Buffer.from('-all')] },
  {
    ...base,
    type: 'TLSA',
    data: { usage: 3, selector: 1, matchingType: 1, certificate: Buffer.from('00ff', 'hex') },
  },
  {
    ...base,
    type: 'SOA',
    data: { mname: 'ns.example', rname: 'h.example', serial: 1, refresh: 2, retry: 3, expire: 4, minimum: 4294967295 },
  },
];

const expected: readonly (readonly [RecordType, unknown])[] = [
  ['A', '192.0.2.1'],
  ['AAAA', '2001:db8::1'],
  ['CNAME', 'b.example'],
  ['MX', { preference: 10, exchange: 'mx.example' }],
  ['NS', 'ns.example'],
  ['PTR', 'host.example'],
  ['SRV', { priority: 1, weight: 2, port: 25, target: 'srv.example' }],
  ['TXT', ['v=spf1 \xe9', '-all']],
  ['TLSA', { usage: 3, selector: 1, matchingType: 1, data: new Uint8Array([0, 255]) }],
  [
    'SOA',
    { server: 'ns.example', mailbox: 'h.example', serial: 1, refresh: 2, retry: 3, expire: 4, minimum: 4294967295 },
  ],
];

function reply(answers: readonly Answer[], more: Partial<Parameters<typeof packet.encode>[0]> = {}): Buffer {
  return packet.encode({
    type: 'response',
    id: 0x1234,
    questions: [{ name: 'a.example', type: 'A' }],
    answers: [...answers],
    ...more,
  });
}

test('a question is what others read as the same question', () => {
  const decoded = packet.decode(query('_25._tcp.mx.example', typeNumber('TLSA')));
  assert.deepEqual(decoded.questions, [{ name: '_25._tcp.mx.example', type: 'TLSA', class: 'IN' }]);
  assert.equal(decoded.id, 0x1234);
  assert.equal(decoded.flag_rd && decoded.flag_ad, true);
  const [opt] = decoded.additionals ?? [];
  assert.equal(opt?.type === 'OPT' && opt.udpPayloadSize === 1232 && opt.flag_do, true);
  assert.equal(packet.decode(query('a.example', 1, false)).additionals?.length, 0);
});

test('records of every type that others wrote are read', () => {
  const message = readMessage(reply(samples));
  assert.ok(message);
  for (const [i, [type, data]] of expected.entries()) {
    const record: WireRecord | undefined = message.answers[i];
    assert.ok(record);
    assert.deepEqual([record.name, record.type, record.ttl], ['a.example', typeNumber(type), 60]);
    assert.deepEqual(recordData(message, record, type), data);
  }
  const [address] = message.answers;
  assert.deepEqual(address && rawData(message, address), new Uint8Array([192, 0, 2, 1]));
});

test('a reply belongs to a question only by its id and its question, whatever its letters', () => {
  const asked = query('a.example', 1);
  assert.equal(isReplyTo(asked, reply([])), true);
  assert.equal(isReplyTo(asked, reply([], { questions: [{ name: 'A.EXAMPLE', type: 'A' }] })), true);
  const foreign: Record<string, Buffer> = {
    'another id': reply([], { id: 0x1235 }),
    'another name': reply([], { questions: [{ name: 'b.example', type: 'A' }] }),
    'another type': reply([], { questions: [{ name: 'a.example', type: 'AAAA' }] }),
    'another class': reply([], { questions: [{ name: 'a.example', type: 'A', class: 'CH' }] }),
    'no question': reply([], { questions: [] }),
    'two questions': reply([], { questions: Array(2).fill({ name: 'a.example', type: 'A' }) }),
    'a query': reply([], { type: 'query' }),
    'an update': reply([], { flags: 5 << 11 }),
    'too short': reply([]).subarray(0, 20),
    nothing: Buffer.alloc(0),
  };
  for (const [what, octets] of Object.entries(foreign)) assert.equal(isReplyTo(asked, octets), false, what);
  assert.equal(isReplyTo(asked, reply([], { questions: [], flags: 1 })), true, 'FORMERR without the question');
});

test('the flags and the extended response code of a message are told', () => {
  const flags = packet.AUTHORITATIVE_ANSWER | packet.AUTHENTIC_DATA | packet.RECURSION_AVAILABLE;
  const opt: Answer = {
    type: 'OPT',
    name: '.',
    udpPayloadSize: 4096,
    extendedRcode: 1,
    ednsVersion: 0,
    flags: 0,
    flag_do: false,
    options: [],
  };
  const message = readMessage(reply([], { flags, additionals: [opt] }));
  assert.deepEqual(message && [message.code, message.authoritative, message.authentic, message.recursive], [
    16,
    true,
    true,
    true,
  ]);
  assert.equal(isTruncated(reply([], { flags: packet.TRUNCATED_RESPONSE })), true);
  assert.equal(isTruncated(reply([])), false);
});

test('data that are shorter or longer than their type demands are no data', () => {
  const lies: readonly (readonly [RecordType, string])[] = [
    ['A', '\x01\x02\x03'],
    ['A', '\x01\x02\x03\x04\x05'],
    ['AAAA', '\x01\x02\x03\x04'],
    ['MX', '\0\x0a'],
    ['MX', '\0\x0a\x01a'],
    ['MX', '\0\x0a\x01a\0rest'],
    ['PTR', ''],
    ['TXT', '\x05abc'],
    ['TLSA', '\x03\x01'],
    ['SOA', '\0\0\0\0\0\x01'],
    ['SRV', '\0\0\0\0'],
  ];
  for (const [type, data] of lies) {
    // an unknown type is written with its octets as they are
    const octets = reply([{ ...base, type: 'NULL', data: Buffer.from(data, 'latin1') }]);
    const message = readMessage(octets);
    const record = message?.answers[0];
    assert.ok(message && record);
    assert.equal(recordData(message, record, type), undefined, `${type} ${JSON.stringify(data)}`);
  }
});

test('records of another class and times to live beyond 31 bits do not count', () => {
  const octets = reply([
    { ...base, class: 'CH', type: 'A', data: '192.0.2.9' },
    { ...base, ttl: 0x80000000, type: 'A', data: '192.0.2.1' },
  ]);
  const message = readMessage(octets);
  assert.deepEqual(
    message?.answers.map(({ ttl }) => ttl),
    [0],
  );
});

test('a message that promises more than it holds, or too much, is malformed', () => {
  const whole = reply(samples);
  for (let length = 0; length < whole.length; length++) {
    assert.equal(readMessage(whole.subarray(0, length)), undefined, `${length} octets`);
  }
  const full = Array.from({ length: 1024 }, (): Answer => ({ name: '.', ttl: 0, type: 'A', data: '192.0.2.1' }));
  assert.equal(readMessage(reply(full))?.answers.length, 1024);
  assert.equal(readMessage(reply([...full, ...full.slice(0, 1)])), undefined);
  assert.equal(readMessage(Buffer.alloc(65535, 0xff)), undefined);
});

test('random and mutated messages are read or refused, never a crash', () => {
  const whole = reply(samples, { authorities: [...samples] });
  const types: readonly RecordType[] = expected.map(([type]) => type);
  const digest = (octets: Buffer) => {
    isReplyTo(query('a.example', 1), octets);
    const message = readMessage(octets);
    if (message === undefined) return;
    for (const record of message.answers) for (const type of types) recordData(message, record, type);
    for (const type of types) interpret(message, 'a.example', type, []);
  };
  const mutation = fc.record({ at: fc.nat(whole.length - 1), octet: fc.nat(255) });
  fc.assert(
    fc.property(fc.array(mutation, { minLength: 1, maxLength: 12 }), (mutations) => {
      const octets = Buffer.from(whole);
      for (const { at, octet } of mutations) octets[at] = octet;
      digest(octets);
    }),
    { numRuns: 3000 },
  );
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 600 }), fc.boolean(), (random, withHead) => {
      digest(withHead ? Buffer.concat([whole.subarray(0, 12), random]) : Buffer.from(random));
    }),
    { numRuns: 2000 },
  );
});
