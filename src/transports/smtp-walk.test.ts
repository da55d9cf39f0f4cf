/** Which hosts are tried, and in which order. The texts and the order are those of Exim 4.96. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { closedPort, TestServer } from '../net/test-server.ts';
import type { Host } from '../routers/router.ts';
import { Text } from '../safe/taint.ts';
import { type Exceptions, mailServer } from '../smtp/test-mail-server.ts';
import { smtp } from './smtp.ts';
import { smtpOptions } from './smtp-options.ts';
import { addressed, host, optionsWith, requestFor, TestMessage, TestServices } from './test-delivery.ts';
import { shown } from './test-smtp.ts';
import type { DeliveryRequest } from './transport.ts';

interface Scene {
  readonly settings?: Readonly<Record<string, string>>;
  readonly hosts?: readonly Host[];
  readonly to?: readonly string[];
  readonly request?: Partial<DeliveryRequest>;
  prepare?(services: TestServices): void;
}

/** Delivers with `hosts`; only those of `servers` answer, all others refuse connections to `port`. */
async function walk(
  servers: Readonly<Record<string, Exceptions>>,
  scene: (port: number) => Scene,
): Promise<{
  readonly results: readonly string[];
  readonly services: TestServices;
  readonly hostsLeft: readonly unknown[];
}> {
  const started: TestServer[] = [];
  let port: number | undefined;
  for (const [address, exceptions] of Object.entries(servers)) {
    const where = { address, ...(port === undefined ? {} : { port }) };
    started.push(await TestServer.start(mailServer(exceptions), where));
    port ??= started[0]?.port;
  }
  const {
    settings = {},
    hosts = [],
    to = ['a@b.example'],
    request = {},
    prepare,
  } = scene(port ?? (await closedPort()));
  const message = new TestMessage();
  const services = new TestServices();
  prepare?.(services);
  const worker = smtp.make(
    optionsWith(smtpOptions, settings),
    requestFor(message).common,
    new Set(Object.keys(settings)),
  );
  assert.equal(worker.style, 'remote');
  const outcomes = await worker.deliver(
    requestFor(message, { hosts, addresses: addressed(...to), ...request }),
    services,
  );
  for (const server of started) await server.close();
  message.close();
  return {
    results: outcomes.map(({ address, result }) => shown(address.recipient, result)),
    services,
    hostsLeft: outcomes.map(({ result }) => result.outcome !== 'delivered' && result.hostsLeft),
  };
}

const refusing = (port: number, ...names: readonly string[]): Host[] =>
  names.map((name) => host(`127.0.1.${name}`, port));
const tried = ({ logged }: TestServices): string[] =>
  logged.map((line) => /\[127\.0\.1\.(\d+)\] Connection refused$/.exec(line)?.[1] ?? line);

test('five hosts are tried at most, as long as nothing else is said', async () => {
  const { services, hostsLeft } = await walk({}, (port) => ({
    hosts: refusing(port, '1', '2', '3', '4', '5', '6', '7'),
  }));
  assert.deepEqual(tried(services), ['1', '2', '3', '4', '5']);
  assert.deepEqual(hostsLeft, [true]);
  const all = await walk({}, (port) => ({ hosts: refusing(port, '1', '2', '3', '4', '5') }));
  assert.deepEqual(all.hostsLeft, [false]);
});

test('hosts that wait for their retry time do not count', async () => {
  const { services, hostsLeft } = await walk({}, (port) => ({
    hosts: refusing(port, '1', '2', '3', '4', '5'),
    settings: { hosts_max_try: '2' },
    prepare: ({ standings }) => {
      standings.set('127.0.1.1', { due: false });
      standings.set('127.0.1.3', { due: false });
    },
  }));
  assert.deepEqual(tried(services), ['2', '4']);
  assert.deepEqual(hostsLeft, [true]);
});

test('hosts that have failed for too long do not count, before or by this attempt', async () => {
  const { services, hostsLeft } = await walk({}, (port) => ({
    hosts: refusing(port, '1', '2', '3', '4'),
    settings: { hosts_max_try: '1' },
    prepare: ({ standings, expiredNow }) => {
      standings.set('127.0.1.1', { expired: true });
      expiredNow.add('127.0.1.2');
    },
  }));
  assert.deepEqual(tried(services), ['1', '2', '3']);
  assert.deepEqual(hostsLeft, [true]);
});

test('one host of each MX value is tried beyond hosts_max_try', async () => {
  const mail = (port: number): Host[] =>
    [10, 10, 10, 20, 20, 30].map((mx, i) => host(`127.0.1.${i + 1}`, port, { mx }));
  const expected: readonly (readonly [string, readonly string[], readonly string[]])[] = [
    ['1', [], ['1', '4', '6']],
    ['2', [], ['1', '2', '4', '6']],
    ['3', [], ['1', '2', '3', '4', '6']],
    ['4', [], ['1', '2', '3', '4', '6']],
    ['1', ['1', '4', '6'], ['2', '5']],
    ['2', ['1', '2', '4', '6'], ['3', '5']],
  ];
  for (const [most, waiting, hosts] of expected) {
    const { services } = await walk({}, (port) => ({
      hosts: mail(port),
      settings: { hosts_max_try: most },
      prepare: ({ standings }) => {
        for (const name of waiting) standings.set(`127.0.1.${name}`, { due: false });
      },
    }));
    assert.deepEqual(tried(services), hosts, `hosts_max_try = ${most}`);
  }
});

test('hosts_max_try_hardlimit limits all attempts, and then no hosts are left', async () => {
  const { services, hostsLeft } = await walk({}, (port) => ({
    hosts: refusing(port, '1', '2', '3', '4'),
    settings: { hosts_max_try: '4', hosts_max_try_hardlimit: '2' },
    prepare: ({ standings }) => standings.set('127.0.1.1', { expired: true }),
  }));
  assert.deepEqual(tried(services), ['1', '2']);
  assert.deepEqual(hostsLeft, [false]);
});

test('with hosts_max_try = 0 one host is tried', async () => {
  const { services } = await walk({}, (port) => ({
    hosts: refusing(port, '1', '2'),
    settings: { hosts_max_try: '0' },
  }));
  assert.deepEqual(tried(services), ['1']);
});

test('nothing is done while all hosts wait', async () => {
  const { results, services, hostsLeft } = await walk({}, (port) => ({
    hosts: refusing(port, '1', '2'),
    to: ['a@b.x', 'c@d.y'],
    prepare: ({ standings }) => {
      standings.set('127.0.1.1', { due: false });
      standings.set('127.0.1.2', { due: false, expired: true });
    },
  }));
  assert.deepEqual(results, [
    "a@b.x deferred -54: retry time not reached for any host for 'b.x'",
    "c@d.y deferred -54: retry time not reached for any host for 'd.y'",
  ]);
  assert.deepEqual(services.logged, []);
  assert.deepEqual(hostsLeft, [true, true]);
});

const expired = ({ standings }: TestServices): void => {
  standings.set('127.0.1.1', { due: false, expired: true, tried: true });
  standings.set('127.0.1.2', { due: false, expired: true });
};

test('when all hosts have failed for too long, the address is given up without an attempt', async () => {
  const { results, services } = await walk({}, (port) => ({ hosts: refusing(port, '1', '2'), prepare: expired }));
  assert.deepEqual(results, [
    "a@b.example failed -54: all hosts for 'b.example' have been failing for a long time (and retry time not reached)",
  ]);
  assert.deepEqual(services.logged, []);
});

test('without delay_after_cutoff, those are tried that were not since the message came', async () => {
  const settings = { delay_after_cutoff: 'false' };
  const some = await walk({}, (port) => ({ hosts: refusing(port, '1', '2'), settings, prepare: expired }));
  assert.deepEqual(tried(some.services), ['2']);
  assert.deepEqual(some.results, ['a@b.example deferred 111: ']);
  const none = await walk({}, (port) => ({ hosts: refusing(port, '1'), settings, prepare: expired }));
  assert.deepEqual(none.results, [
    "a@b.example failed -54: all hosts for 'b.example' have been failing for a long time and were last tried after this message arrived",
  ]);
  const mixed = await walk({}, (port) => ({
    hosts: refusing(port, '1', '2', '3'),
    settings,
    prepare: (services) => {
      expired(services);
      services.standings.set('127.0.1.3', { due: false });
    },
  }));
  assert.deepEqual(tried(mixed.services), []);
  assert.match(mixed.results[0] ?? '', /retry time not reached for any host/);
});

test('a refusal to talk is not final while another host waits', async () => {
  const { results } = await walk({ '127.0.0.1': { greeting: '554 no' } }, (port) => ({
    hosts: [host('127.0.0.1', port), ...refusing(port, '1')],
    prepare: ({ standings }) => standings.set('127.0.1.1', { due: false }),
  }));
  assert.match(results[0] ?? '', /^a@b.example deferred 0 127.0.0.1: .*554 no$/);
});

test('serialize_hosts: a host that is busy is passed over', async () => {
  const settings = { serialize_hosts: '127.0.0.1' };
  const busy = (services: TestServices): void => {
    services.busy.add('127.0.0.1');
  };
  const only = await walk({ '127.0.0.1': {} }, (port) => ({
    hosts: [host('127.0.0.1', port)],
    settings,
    prepare: busy,
  }));
  assert.deepEqual(only.results, ["a@b.example deferred -54: connection limit reached for all hosts for 'b.example'"]);
  const hosts = (port: number): Host[] => [host('127.0.0.1', port), host('127.0.0.2', port)];
  const both = await walk({ '127.0.0.1': {}, '127.0.0.2': {} }, (port) => ({
    hosts: hosts(port),
    settings,
    prepare: busy,
  }));
  assert.deepEqual(both.results, ['a@b.example => 127.0.0.2 "250 OK id=1-2-3"']);
  const free = await walk({ '127.0.0.1': {} }, (port) => ({ hosts: [host('127.0.0.1', port)], settings }));
  assert.match(free.results[0] ?? '', /=> 127.0.0.1/);
  assert.equal(free.services.busy.size, 0);
});

test('retry_include_ip_address may depend on the host', async () => {
  const { services } = await walk({}, (port) => ({
    hosts: refusing(port, '1', '2'),
    settings: { retry_include_ip_address: '${if eq{$host}{127.0.1.1}{no}{yes}}' },
  }));
  assert.deepEqual(
    services.attempts.map(({ byAddress }) => byAddress),
    [false, true],
  );
  const failing = await walk({}, (port) => ({
    hosts: refusing(port, '1'),
    settings: { retry_include_ip_address: '${if foo}' },
  }));
  assert.deepEqual(failing.results, [
    'a@b.example deferred -1: failed to expand "retry_include_ip_address" in t1 transport: unknown condition "foo"',
  ]);
});

test('the hosts of the transport are for addresses without hosts, or with hosts_override for all', async () => {
  const servers = { '127.0.0.1': {}, '127.0.0.2': {} };
  const own = (port: number): Readonly<Record<string, string>> => ({ hosts: `127.0.0.2::${port}` });
  const router = await walk(servers, (port) => ({ hosts: [host('127.0.0.1', port)], settings: own(port) }));
  assert.match(router.results[0] ?? '', /=> 127.0.0.1/);
  const none = await walk(servers, (port) => ({ settings: own(port) }));
  assert.match(none.results[0] ?? '', /=> 127.0.0.2/);
  const settings = (port: number) => ({ ...own(port), hosts_override: 'true' });
  const override = await walk(servers, (port) => ({ hosts: [host('127.0.0.1', port)], settings: settings(port) }));
  assert.match(override.results[0] ?? '', /=> 127.0.0.2/);
});

test('names are looked up when it is their turn, and each of their addresses is a host', async () => {
  const { results, services } = await walk({ '127.0.0.1': {} }, (port) => ({
    settings: { hosts: 'first.example : nowhere.example : last.example : unneeded.example', port: String(port) },
    prepare: ({ names }) => {
      names.set('first.example', ['127.0.1.1', '127.0.1.2']);
      names.set('last.example', ['127.0.0.1']);
    },
  }));
  assert.deepEqual(results, ['a@b.example => last.example "250 OK id=1-2-3"']);
  assert.deepEqual(tried(services), ['1', '2']);
  assert.deepEqual(services.noted, [
    'host first.example 111',
    'host first.example 111',
    'host nowhere.example -32',
    'good last.example',
  ]);
});

test('a name without an address', async () => {
  const only = await walk({}, () => ({ settings: { hosts: 'nowhere.example/MX', port: '25' } }));
  assert.deepEqual(only.results, ['a@b.example deferred -32: failed to lookup IP address for nowhere.example/MX']);
  const byName = await walk({}, () => ({ settings: { hosts: 'nowhere.example', gethostbyname: 'true' } }));
  assert.deepEqual(byName.services.logged, ['no IP address found for host nowhere.example']);
});

test('a list of hosts that cannot be used', async () => {
  const cases = [
    [{}, 't1 transport called with no hosts set'],
    [{ hosts: '""' }, 't1 transport has empty hosts setting'],
    [{ hosts: '${if foo}' }, 'failed to expand list of hosts "${if foo}" in t1 transport: unknown condition "foo"'],
    [{ hosts: '$item' }, "attempt to use tainted host list 'x' from '$item' in transport t1"],
  ] as const;
  for (const [settings, message] of cases) {
    const message_ = new TestMessage();
    const { context } = requestFor(message_);
    message_.close();
    context.results = { ...context.results, item: Text.tainted('x') };
    const { results } = await walk({}, () => ({ settings, request: { context } }));
    assert.deepEqual(results, [`a@b.example deferred -1: ${message}`]);
  }
});

test('the transport does not send mail to its own host, unless allow_localhost says so', async () => {
  const local = ({ localAddresses }: TestServices): void => {
    localAddresses.add('127.0.0.1');
  };
  const settings = (port: number) => ({ hosts: `127.0.1.1::${port}:127.0.0.1::${port}` });
  const { results, services } = await walk({ '127.0.0.1': {} }, (port) => ({
    settings: settings(port),
    prepare: local,
  }));
  assert.deepEqual(results, ['a@b.example deferred -50: t1 transport found host 127.0.0.1 to be local']);
  assert.deepEqual(tried(services), ['1']);
  const allowed = (port: number) => ({ ...settings(port), allow_localhost: 'true' });
  const sent = await walk({ '127.0.0.1': {} }, (port) => ({ settings: allowed(port), prepare: local }));
  assert.match(sent.results[0] ?? '', /=> 127.0.0.1/);
  const routers = await walk({ '127.0.0.1': {} }, (port) => ({ hosts: [host('127.0.0.1', port)], prepare: local }));
  assert.match(routers.results[0] ?? '', /=> 127.0.0.1/);
});

test('hosts_randomize changes the order within the groups of a list', async () => {
  const orders = new Set<string>();
  for (let i = 0; i < 30; i++) {
    const { services } = await walk({}, (port) => ({
      settings: { hosts: `127.0.1.1::${port}:127.0.1.2::${port}:+:127.0.1.3::${port}`, hosts_randomize: 'true' },
    }));
    orders.add(tried(services).join(' '));
  }
  assert.deepEqual([...orders].sort(), ['1 2 3', '2 1 3']);
});

test('fallback hosts get what no other host took for the time being', async () => {
  const { results, services } = await walk(
    { '127.0.0.1': { 'RCPT c@': '450 no', 'RCPT e@': '550 x' }, '127.0.0.2': {} },
    (port) => ({
      hosts: [host('127.0.0.1', port)],
      settings: { fallback_hosts: `127.0.1.1::${port} : 127.0.0.2::${port}` },
      to: ['a@b.x', 'c@d.x', 'e@f.x'],
    }),
  );
  assert.deepEqual(results, [
    'a@b.x => 127.0.0.1 "250 OK id=1-2-3"',
    'c@d.x => 127.0.0.2 "250 OK id=1-2-3"',
    'e@f.x failed 0 127.0.0.1: SMTP error from remote mail server after RCPT TO:<e@f.x>: 550 x',
  ]);
  assert.deepEqual(tried(services), [
    'H=127.0.0.1 [127.0.0.1]: SMTP error from remote mail server after RCPT TO:<c@d.x>: 450 no',
    '1',
  ]);
});

test('fallback hosts get what was not tried elsewhere, but not what was refused for good', async () => {
  const settings = (port: number) => ({ fallback_hosts: `127.0.0.2::${port}` });
  for (const standing of [{ due: false }, { due: false, expired: true }]) {
    const { results } = await walk({ '127.0.0.2': {} }, (port) => ({
      hosts: refusing(port, '1'),
      settings: settings(port),
      prepare: ({ standings }) => standings.set('127.0.1.1', standing),
    }));
    assert.match(results[0] ?? '', /=> 127.0.0.2/);
  }
  const refused = await walk({ '127.0.0.1': { greeting: '554 no' }, '127.0.0.2': {} }, (port) => ({
    hosts: [host('127.0.0.1', port)],
    settings: settings(port),
  }));
  assert.match(refused.results[0] ?? '', /failed 0 127.0.0.1/);
});

test("the router's fallback hosts come in place of the transport's, and may be none", async () => {
  const scene = (fallbackHosts: (port: number) => Host[]) => (port: number) => ({
    hosts: refusing(port, '1'),
    settings: { fallback_hosts: `127.0.1.9::${port}`, port: String(port) },
    request: { fallbackHosts: fallbackHosts(port) },
    prepare: ({ names }: TestServices) => names.set('fall.example', ['127.0.0.2']),
  });
  const named = await walk(
    { '127.0.0.2': {} },
    scene(() => [host('', undefined, { name: 'fall.example' })]),
  );
  assert.match(named.results[0] ?? '', /=> fall.example/);
  const none = await walk(
    {},
    scene(() => []),
  );
  assert.deepEqual(none.results, ['a@b.example deferred 111: ']);
  assert.deepEqual(tried(none.services), ['1']);
});
