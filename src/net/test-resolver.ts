/** For tests: name servers in this process and resolvers that ask them. All are closed after each test. */

import { afterEach } from 'node:test';
import { stopClock } from '../lib/clock.ts';
import { Resolver, type ResolverPolicy } from './dns.ts';
import type { ResolverSettings } from './resolv-conf.ts';
import { TestDns } from './test-dns.ts';

const opened: { close(): void | Promise<void> }[] = [];

afterEach(async () => {
  stopClock(undefined);
  for (const one of opened.splice(0)) await one.close();
});

export async function serve(zone: string): Promise<TestDns> {
  const dns = await TestDns.start(zone);
  opened.push(dns);
  return dns;
}

/** A resolver that asks each server once; its patience is for slow machines. */
export function resolverFor(
  servers: ResolverSettings['servers'],
  settings: Partial<ResolverSettings> = {},
  policy: ResolverPolicy = {},
): Resolver {
  const resolver = new Resolver({ servers, timeout: 10_000, attempts: 1, ...settings }, policy);
  opened.push(resolver);
  return resolver;
}

/** A server with this zone, and a resolver that asks it. */
export async function setUp(
  zone: string,
  settings: Partial<ResolverSettings> = {},
): Promise<{ readonly dns: TestDns; readonly resolver: Resolver }> {
  const dns = await serve(zone);
  return { dns, resolver: resolverFor([dns.server], settings) };
}

/** What the server was asked, in order. */
export function asked(dns: TestDns): string {
  return dns.asked.map(({ name, type, by }) => `${name} ${type} ${by}`).join(', ');
}
