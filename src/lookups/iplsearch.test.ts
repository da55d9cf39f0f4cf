import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import fc from 'fast-check';
import { TestDirectory } from '../lib/test-directory.ts';
import { formatIp, isInNetwork, parseIp, parseNetwork } from '../net/address.ts';
import { iplsearch } from './iplsearch.ts';
import { Lookups } from './lookups.ts';
import { found, singleKeyContract } from './single-key-contract.ts';
import { lsearchOf } from './test-lsearch.ts';

singleKeyContract({
  driver: iplsearch,
  tableOf: lsearchOf,
  keys: ['192.0.2.1', '192.0.2.2', '2001:db8::1', '192.0.2.4', '2001:db8::2', '192.0.2.6'],
  directoryProblem: (path) => `${path} is not a regular file (lsearch lookup)`,
  broken: [],
});

const directory = new TestDirectory();
const lookups = new Lookups([iplsearch], 5);
after(() => {
  lookups.close();
  directory.remove();
});

async function check(type: string, text: string, expected: Readonly<Record<string, string>>): Promise<void> {
  const path = directory.write('table', text);
  for (const [key, value] of Object.entries(expected)) assert.equal(await found(lookups, type, key, path), value, key);
}

const manual = '1.2.3.4: a\n192.168.0.0/16: b\n"abcd::cdab": c\n"abcd:abcd::/32" d\n more\n10.0.0.0/8 e\n';

test('addresses and networks of both families are found', async () => {
  await check('iplsearch', manual, {
    '1.2.3.4': 'a',
    '192.168.5.5': 'b',
    '192.169.0.0': 'not found',
    'abcd::cdab': 'c',
    'ABCD:0::cdab': 'c',
    'abcd:abcd:1::9': 'd more',
    'abcd:abce:1::9': 'not found',
    '10.1.1.1': 'e',
    '::ffff:1.2.3.4': 'a',
  });
});

test('ret=full answers the key, too, without its quotes', async () => {
  await check('iplsearch,ret=full', manual, { '1.2.3.4': '1.2.3.4: a', 'abcd:abcd::1': 'abcd:abcd::/32 d more' });
});

test('the first network that holds the address counts, not the best', async () => {
  await check('iplsearch', '1.2.3.4/24: x\n1.2.3.4: y\n0.0.0.0/0: z\n"::/0": six\n', {
    '1.2.3.4': 'x',
    '1.2.3.5': 'x',
    '1.2.4.5': 'z',
    '1::2': 'six',
  });
});

test('keys that are no networks are passed over', async () => {
  await check('iplsearch', 'host: x\n1.2.3: x\n1.2.3.4/x: x\n*: x\nabcd::cdab: x\n1.2.3.4: y\n', {
    '1.2.3.4': 'y',
    'abcd::cdab': 'not found',
  });
});

test('an asterisk is found as the default, and only so', async () => {
  await check('iplsearch*', '1.2.3.4: a\n*: default\n*: later\n', { '1.2.3.4': 'a', '1.2.3.5': 'default' });
  await check('iplsearch', '*: default\n', { '1.2.3.5': 'not found' });
});

test('a search for anything but an address is deferred with advice', async () => {
  const message = (key: string): string =>
    `defer: "${key}" is not a valid iplsearch key (an IP address, with optional CIDR mask, is wanted): in a host list, use net-iplsearch as the search type`;
  for (const key of ['host.example', '1.2.3.4/32', '1.2.3', '1.2.3.4 ', '300.1.1.1']) {
    await check('iplsearch', manual, { [key]: message(key) });
  }
  await check('partial-iplsearch', '1.1.1.1: x\n', { '1.2.3.4': message('*.1.2.3.4') });
});

const address = fc.oneof(
  fc.ipV4(),
  fc.tuple(fc.nat(3), fc.nat(3)).map(([a, b]) => `10.0.${a}.${b}`),
  fc.ipV6().map((text) => formatIp(parseIp(text) ?? new Uint8Array(16))),
);
const network = fc
  .tuple(address, fc.nat(128))
  .map(([text, bits]) => (text.includes(':') ? `${text}/${bits}` : `${text}/${bits % 33}`));

test('it finds what a comparison with each network in turn finds', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(network, { maxLength: 200 }),
      fc.array(address, { minLength: 5, maxLength: 20 }),
      async (nets, addresses) => {
        const path = directory.write('fuzzed', nets.map((net, number) => `"${net}": ${number}\n`).join(''));
        for (const one of addresses) {
          const octets = parseIp(one) ?? new Uint8Array(4);
          const expected = nets.findIndex((net) => {
            const parsed = parseNetwork(net);
            return parsed !== undefined && isInNetwork(octets, parsed);
          });
          assert.equal(await found(lookups, 'iplsearch', one, path), expected < 0 ? 'not found' : String(expected));
        }
      },
    ),
    { numRuns: 50 },
  );
});
