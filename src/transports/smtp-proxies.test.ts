/** Deliveries through SOCKS proxies; the errors are those that Exim 4.96 makes of the same answers. */

import assert from 'node:assert/strict';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { test } from 'node:test';
import { closedPort } from '../net/test-server.ts';
import { parseProxies } from './smtp-proxies.ts';
import { deliver } from './test-smtp.ts';

interface Proxy {
  readonly port: number;
  /** What it heard, in hexadecimal digits. */
  readonly heard: string[];
  close(): void;
}

interface Manner {
  readonly method?: string;
  readonly login?: string;
  readonly answer?: string;
  /** Says everything octet by octet. */
  readonly slow?: boolean;
}

const good = '05000001000000000000';

/** A proxy that makes the connections it is asked for, unless it is to answer something else. */
async function proxy({ method = '0500', login = '0100', answer = good, slow = false }: Manner = {}): Promise<Proxy> {
  const heard: string[] = [];
  const open = new Set<Socket>();
  const say = async (socket: Socket, hex: string): Promise<void> => {
    const octets = Buffer.from(hex, 'hex');
    if (!slow) socket.write(octets);
    for (const octet of slow ? octets : []) {
      socket.write(Buffer.of(octet));
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
  };
  const server: Server = createServer((socket) => {
    open.add(socket.on('error', () => undefined));
    const steps = method === '0502' ? [method, login] : [method];
    const onData = async (octets: Buffer): Promise<void> => {
      heard.push(octets.toString('hex'));
      const step = steps.shift();
      if (step !== undefined) return say(socket, step);
      socket.off('data', onData);
      if (answer !== good) return say(socket, answer);
      const target = connect({ host: [...octets.subarray(4, 8)].join('.'), port: octets.readUInt16BE(8) });
      open.add(target.on('error', () => socket.destroy()));
      await say(socket, answer);
      socket.pipe(target).pipe(socket);
      return undefined;
    };
    socket.on('data', onData);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  return {
    port: typeof address === 'object' && address !== null ? address.port : 0,
    heard,
    close() {
      for (const socket of open) socket.destroy();
      server.close();
    },
  };
}

async function through(manner: Manner, words = ''): Promise<{ result: string; heard: string[]; logged: string[] }> {
  const between = await proxy(manner);
  try {
    const settings = { socks_proxy: `127.0.0.1 port=${between.port}${words}` };
    const { results, services } = await deliver([{}], { settings });
    return { result: results[0] ?? '', heard: between.heard, logged: [...services.logged] };
  } finally {
    between.close();
  }
}

const arrived = 'a@b.example => 127.0.0.1 "250 OK id=1-2-3"';

test('a message goes through a proxy, whose answers may come in pieces', async () => {
  const { result, heard } = await through({});
  assert.equal(result, arrived);
  assert.equal(heard[0], '050100');
  assert.match(heard[1] ?? '', /^050100017f000001[0-9a-f]{4}$/);
  assert.equal((await through({ slow: true })).result, arrived);
});

test('a proxy is told name and password', async () => {
  const { result, heard } = await through({ method: '0502' }, ' auth=name name=joe pass=secret');
  assert.equal(result, arrived);
  assert.deepEqual(heard.slice(0, 2), ['050102', '01036a6f6506736563726574']);
});

for (const [what, manner, code, logged] of [
  ['a login that is refused', { method: '0502', login: '0101' }, 13, 'socks auth failed'],
  ['a way to log in that nobody knows', { method: '05ff' }, 71, 'Unrecognised socks auth method 255'],
  ['another version', { method: '0400' }, 71, undefined],
  ['no rights', { answer: '0502000100000000' }, 13, undefined],
  ['no way to the network', { answer: '0503000100000000' }, 101, undefined],
  ['no way to the host', { answer: '0504000100000000' }, 113, undefined],
  ['a host that refuses', { answer: '0505000100000000' }, 111, undefined],
  ['an answer that is none', { answer: '0563000100000000' }, 71, undefined],
] as const) {
  test(`${what} puts the message off with error ${code}`, async () => {
    const done = await through(manner);
    assert.match(done.result, new RegExp(`^a@b\\.example deferred ${code}:`));
    if (logged !== undefined) assert.ok(done.logged.includes(logged), done.logged.join('\n'));
  });
}

test('of several proxies the first by priority that can be connected to is used', async () => {
  const [one, two] = await Promise.all([proxy(), proxy()]);
  try {
    const gone = await closedPort();
    const list = `127.0.0.1 port=${one.port} pri=1 : 127.0.0.1 port=${gone} pri=5 : 127.0.0.1 port=${two.port} pri=3`;
    const { results, services } = await deliver([{}], { settings: { socks_proxy: list } });
    assert.deepEqual(results, [arrived]);
    assert.deepEqual([one.heard.length, two.heard.length > 0], [0, true]);
    assert.deepEqual(services.logged, ['socks_sock_connect: Connection refused']);
  } finally {
    one.close();
    two.close();
  }
});

test('without a proxy that can be reached, or with none in the list, the message waits', async () => {
  const gone = await deliver([{}], { settings: { socks_proxy: `127.0.0.1 port=${await closedPort()}` } });
  assert.match(gone.results[0] ?? '', / deferred 16:/);
  const none = await deliver([{}], { settings: { socks_proxy: ':' } });
  assert.match(none.results[0] ?? '', / deferred 2:/);
});

test('options that make no sense are passed over', () => {
  const [found] = parseProxies('192.0.2.1 foo=bar port=1x auth=what pass=a=b weight');
  assert.deepEqual(found, {
    ...{ address: '192.0.2.1', port: 1, login: undefined, timeout: 5, priority: 1, weight: 1 },
  });
});
