/** Who may send to whom by Exim 3 text and by the Exim 4 text made of it; what the old options allow stands here in plain words. */

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { run, TestServer } from '../../test/server.ts';
import { both, converted, head } from './test-convert.ts';

let server: TestServer;
before(async () => {
  server = await TestServer.make();
});
after(() => server.remove());

describe('who may send to whom', () => {
  const routers = `end
box:
  driver = appendfile
  file = /var/empty/$domain/$local_part
end
u:
  driver = smartuser
  local_parts = ann:ben
  transport = box
end
r:
  driver = domainlist
  transport = box
  route_list = *
end
`;

  /** The replies to RCPT for a host and a sender, the same for both texts: + accepted, - refused, a digit for a 4xx. */
  function replies(options: string, host: string, sender: string, recipients: readonly string[]): string {
    const { three, four } = both(
      server,
      `${head(server)}primary_hostname = a.example\nlocal_domains = a.example : b.example\nrfc1413_query_timeout = 0s\n${options}\n${routers}`,
    );
    const input = [
      'EHLO c.example',
      `MAIL FROM:<${sender}>`,
      ...recipients.map((recipient) => `RCPT TO:<${recipient}>`),
      'QUIT',
      '',
    ].join('\r\n');
    const answers = [three, four].map((config) => {
      const { stdout } = run('exim', ['-C', config, '-bh', host], input);
      const codes = stdout
        .split(/\r?\n/)
        .filter((line) => /^\d{3} /.test(line))
        .map((line) => line.slice(0, 3));
      // greeting, EHLO and MAIL before, QUIT behind; a host that is turned away gets one reply
      return codes.length === 1
        ? 'away'
        : codes
            .slice(3, -1)
            .map((code) => (code === '250' ? '+' : code.startsWith('5') ? '-' : '4'))
            .join('');
    });
    assert.equal(answers[0], answers[1]);
    return answers[0] ?? '';
  }

  const mixed = ['ann@a.example', 'x@other.example', 'x@relay.example', 'x@re1.example', 'ann%other.example@a.example'];

  it('nobody may relay when nothing is said', () => {
    for (const host of ['192.168.1.1', '10.1.1.1', '127.0.0.1', '::1']) {
      for (const sender of ['ann@a.example', 'x@z.example', ''])
        assert.equal(replies('', host, sender, mixed), '+---+');
    }
  });

  it('hosts of host_accept_relay may send anywhere, all others to local domains and relay_domains', () => {
    const options = 'host_accept_relay = !10.9.0.0/16 : 10.0.0.0/8\nrelay_domains = relay.example : ^re\\d\\.example$';
    assert.equal(replies(options, '10.1.1.1', 'x@z.example', mixed), '+++++');
    assert.equal(replies(options, '10.9.1.1', 'x@z.example', mixed), '+-+++');
    assert.equal(replies(options, '192.168.1.1', 'ann@a.example', mixed), '+-+++');
  });

  it('an exception from a refusal is no permission to relay', () => {
    const options =
      'recipients_reject_except = *@victim.example : postmaster@a.example\nrecipients_reject_except_senders = ok@worse.example\nsender_reject_recipients = *@worse.example\nhost_reject_recipients = 10.6.0.0/16';
    const to = ['ann@a.example', 'postmaster@a.example', 'x@victim.example'];
    assert.equal(replies(options, '192.168.1.1', 'x@worse.example', to), '-+-');
    assert.equal(replies(options, '192.168.1.1', 'ok@worse.example', to), '++-');
    assert.equal(replies(options, '10.6.1.1', 'x@z.example', to), '-+-');
  });

  it('a sender that may relay needs a host that may, unless either is enough', () => {
    const to = ['ann@a.example', 'x@other.example'];
    const needsBoth = 'host_accept_relay = 10.0.0.0/8\nsender_address_relay = *@a.example';
    assert.equal(replies(needsBoth, '10.1.1.1', 'x@a.example', to), '++');
    assert.equal(replies(needsBoth, '10.1.1.1', 'x@z.example', to), '+-');
    assert.equal(replies(needsBoth, '192.168.1.1', 'x@a.example', to), '+-');
    const either = `${needsBoth}\nrelay_match_host_or_sender\nsender_address_relay_hosts = 192.168.0.0/16`;
    assert.equal(replies(either, '10.1.1.1', 'x@z.example', to), '++');
    assert.equal(replies(either, '192.168.1.1', 'x@a.example', to), '++');
    assert.equal(replies(either, '172.16.1.1', 'x@a.example', to), '+-');
  });

  it('permission that needs a proof is none without it', () => {
    const to = ['ann@a.example', 'x@other.example'];
    for (const option of ['host_auth_accept_relay = *', 'tls_host_accept_relay = *']) {
      assert.equal(replies(option, '192.168.1.1', 'x@z.example', to), '+-', option);
    }
    assert.equal(replies('host_accept_relay = *\nauth_hosts = 10.7.0.0/16', '10.7.1.1', 'x@z.example', to), '--');
    assert.equal(replies('host_accept_relay = *\ntls_hosts = 10.8.0.0/16', '10.8.1.1', 'x@z.example', to), '--');
  });

  it('refusals come before permissions', () => {
    const to = ['ann@a.example', 'nobody@a.example', 'nobody@b.example'];
    const options =
      'host_accept_relay = 10.0.0.0/8\nhost_reject = 10.66.0.0/16\nsender_reject = spam.example : ^bad.*@\nreceiver_verify\nreceiver_verify_hosts = !10.3.0.0/16\nreceiver_verify_addresses = *@a.example';
    assert.equal(replies(options, '10.66.1.1', 'x@z.example', to), 'away');
    assert.equal(replies(options, '10.1.1.1', 'x@spam.example', to), '---');
    assert.equal(replies(options, '10.1.1.1', 'bad1@z.example', to), '---');
    assert.equal(replies(options, '10.1.1.1', 'x@z.example', to), '+-+');
    assert.equal(replies(options, '10.3.1.1', 'x@z.example', to), '+++');
  });

  it('an open relay is told', () => {
    for (const list of ['*', '! 10.0.0.1', '10.0.0.1 : !10.0.0.2']) {
      assert.match(converted(server, `host_accept_relay = ${list}\nend\n`).told, /this is an open relay/, list);
    }
    assert.equal(converted(server, 'host_accept_relay = 10.0.0.1 : *.a.example\nend\n').told, '');
  });
});
