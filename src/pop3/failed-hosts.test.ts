import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { FailedHosts } from './failed-hosts.ts';

describe('Hosts whose logins fail', () => {
  it('wait longer with each failure, up to a bound, and no other host does', () => {
    const hosts = new FailedHosts();
    const seconds = Array.from({ length: 20 }, () => hosts.failed('192.0.2.1'));
    assert.deepEqual(seconds.slice(0, 6), [1, 1, 1, 2, 3, 4]);
    assert.equal(Math.max(...seconds), 15);
    assert.equal(hosts.failed('192.0.2.2'), 1);
  });

  it('are one when they are in one network of IPv6', () => {
    const hosts = new FailedHosts();
    const seconds = [1, 2, 3, 4].map((last) => hosts.failed(`2001:db8:1:2::${last}`));
    assert.deepEqual(seconds, [1, 1, 1, 2]);
    assert.equal(hosts.failed('2001:db8:1:3::1'), 1);
  });
});
