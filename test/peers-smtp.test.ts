/**
 * Other mail servers on both sides of ours, with AUTH over TLS: a Postfix that relays through us, and Exim and Postfix as the
 * next hop. Root alone can run them: they change to users of their own.
 */

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { freePort } from '../src/lookups/test-servers.ts';
import { Peer } from './peers.ts';
import { isRoot, TestServer, tableRouters, tableTransports, waitFor } from './server.ts';
import { SmtpClient } from './smtp-client.ts';
import { TestAuthority } from './test-certificates.ts';

const server = await TestServer.make();
const submission = await freePort();
const ports = { exim: await freePort(), eximTls: await freePort(), postfix: await freePort() };
const authority = new TestAuthority(server.makeDirectory('certificates'));
const own = authority.issue('own.pem', '/CN=mx.x.example', 'DNS:mx.x.example,DNS:localhost,email:hub@x.example');
const next = authority.issue('next.pem', '/CN=next.example', 'DNS:next.example,DNS:localhost');
const stranger = new TestAuthority(server.makeDirectory('strangers'));

/** The ways in which we log in at the next hop, each a domain of its own and a transport. */
const ways: readonly (readonly [domain: string, authenticator: string, more: string])[] = [
  ['plain.example', 'plain', ''],
  ['login.example', 'login', ''],
  ['cram.example', 'cram', ''],
  ['external.example', 'external', ''],
  ['onconnect.example', 'plain', '  protocol = smtps\n'],
  ['old.example', 'plain', '  tls_require_ciphers = NORMAL:-VERS-TLS1.3\n'],
];

const transport = (name: string, port: number, more: string): string => `${name}:
  driver = smtp
  port = ${port}
  hosts_require_tls = *
  tls_verify_certificates = ${authority.certificate}
  tls_verify_hosts = *
  tls_verify_cert_hostnames = *
  tls_sni = next.example
${more}`;

const condition = (name: string): string => {
  const domains = ways.filter(([, authenticator]) => authenticator === name).map(([domain]) => domain);
  return `  client_condition = \${if inlist{$domain}{${domains.join(':')}}}`;
};

function configure(): void {
  const passwords = server.write('passwords', 'relay: secret\n');
  const routes = ways.map(
    ([domain]) => `to_${domain.split('.')[0]}:
  driver = manualroute
  domains = ${domain}
  route_list = * localhost byname
  self = send
  transport = ${domain.split('.')[0]}
`,
  );
  const others = ['wrong', 'badname', 'badca', 'postfix'].map(
    (name) => `to_${name}:
  driver = manualroute
  domains = ${name}.example
  route_list = * ${name === 'badname' ? '127.0.0.1' : 'localhost'} byname
  self = send
  transport = ${name}
`,
  );
  server.configure({
    main: `tls_certificate = ${own}
tls_on_connect_ports = ${submission}
tls_advertise_hosts = *
smtp_accept_max_per_connection = 1000`,
    acl: '  accept authenticated = *\n  accept domains = x.example\n  accept hosts = 127.0.0.1\n  deny message = relay not permitted',
    routers: `${tableRouters(server.directory)}\n${routes.join('')}${others.join('')}`,
    transports: `${tableTransports}
${ways.map(([domain, , more]) => transport(domain.split('.')[0] ?? '', more.includes('smtps') ? ports.eximTls : ports.exim, `  hosts_require_auth = *\n  tls_certificate = ${own}\n${more}`)).join('\n')}
${transport('wrong', ports.exim, '  hosts_require_auth = *\n')}
${transport('badname', ports.exim, '')}
${transport('badca', ports.exim, '').replace(authority.certificate, stranger.certificate)}
${transport('postfix', ports.postfix, '')}`,
    retry: `* * F,2h,1s
begin authenticators
server_plain:
  driver = plaintext
  public_name = PLAIN
  server_advertise_condition = \${if def:tls_in_cipher}
  server_prompts = :
  server_condition = \${lookup{$auth2}lsearch{${passwords}}{\${if eq{$auth3}{$value}}}{no}}
  server_set_id = $auth2
server_login:
  driver = plaintext
  public_name = LOGIN
  server_advertise_condition = \${if def:tls_in_cipher}
  server_prompts = Username:: : Password::
  server_condition = \${lookup{$auth1}lsearch{${passwords}}{\${if eq{$auth2}{$value}}}{no}}
  server_set_id = $auth1
plain:
  driver = plaintext
  public_name = PLAIN
${condition('plain')}
  client_send = ^hub^se^^cret
  client_set_id = hub
login:
  driver = plaintext
  public_name = LOGIN
${condition('login')}
  client_send = : hub : se^^cret
cram:
  driver = cram_md5
  public_name = CRAM-MD5
${condition('cram')}
  client_name = hub
  client_secret = se^cret
external:
  driver = external
  public_name = EXTERNAL
${condition('external')}
  client_send = hub@x.example
bad:
  driver = plaintext
  public_name = PLAIN
  client_condition = \${if eq{$domain}{wrong.example}}
  client_send = ^hub^wrong
`,
  });
}

/** What Exim is told as the next hop: whoever logs in may send, and it keeps the messages in files. */
const eximConfiguration = `primary_hostname = next.example
tls_certificate = ${next}
tls_verify_certificates = ${authority.certificate}
tls_try_verify_hosts = *
tls_advertise_hosts = *
tls_on_connect_ports = ${ports.eximTls}
acl_smtp_rcpt = rcpt
begin acl
rcpt:
  accept authenticated = *
  accept domains = badname.example : badca.example
  deny message = log in first
begin routers
all:
  driver = accept
  transport = file
begin transports
file:
  driver = appendfile
  file = DIR/mail/box
  user = daemon
begin authenticators
plain:
  driver = plaintext
  public_name = PLAIN
  server_prompts = :
  server_condition = \${if and{{eq{$auth2}{hub}}{eq{$auth3}{se^cret}}}}
  server_set_id = $auth2
login:
  driver = plaintext
  public_name = LOGIN
  server_prompts = Username:: : Password::
  server_condition = \${if and{{eq{$auth1}{hub}}{eq{$auth2}{se^cret}}}}
  server_set_id = $auth1
cram:
  driver = cram_md5
  public_name = CRAM-MD5
  server_secret = \${if eq{$auth1}{hub}{se^cret}fail}
  server_set_id = $auth1
external:
  driver = external
  public_name = EXTERNAL
  server_advertise_condition = $tls_in_certificate_verified
  server_param2 = \${certextract{subj_altname,mail,>:}{$tls_in_peercert}}
  server_condition = \${if inlist{$auth1}{$auth2}}
  server_set_id = $auth1
`;

async function send(domain: string, subject: string): Promise<void> {
  const client = await SmtpClient.greet(server.port);
  assert.match(await client.message('a@x.example', [`someone@${domain}`], `Subject: ${subject}\n\nhi\n`), /^250/);
  await client.quit();
}

if (isRoot) {
  describe('with servers of others', () => {
    const directory = mkdtempSync(join(tmpdir(), 'tabella-peers-'));
    let exim: Peer;
    let postfix: Peer;

    before(async () => {
      spawnSync('chmod', ['755', directory]);
      configure();
      for (const name of ['exim', 'postfix']) mkdirSync(join(directory, name));
      exim = await Peer.exim(join(directory, 'exim'), ports.exim, eximConfiguration, [ports.eximTls]);
      const passwords = join(directory, 'relay-password');
      writeFileSync(passwords, `[localhost]:${server.port} relay:secret\n`);
      postfix = await Peer.postfix(
        join(directory, 'postfix'),
        ports.postfix,
        `relayhost = [localhost]:${server.port}
transport_maps = inline:{postfix.example=discard:}
smtp_sasl_auth_enable = yes
smtp_sasl_password_maps = texthash:${passwords}
smtp_sasl_security_options = noanonymous
smtp_tls_security_level = secure
smtp_tls_loglevel = 1
smtp_tls_CAfile = ${authority.certificate}
smtp_tls_secure_cert_match = mx.x.example
smtpd_tls_security_level = may
smtpd_tls_cert_file = ${next}
smtpd_tls_key_file = ${next}
smtp_dns_support_level = disabled`,
      );
      await server.start(['-oX', `127.0.0.1.${server.port} : 127.0.0.1.${submission}`]);
    });
    after(async () => {
      await exim?.stop();
      await postfix?.stop();
      rmSync(directory, { recursive: true, force: true, maxRetries: 20 });
    });

    it('lets a Postfix relay through it that logs in over TLS and checks the certificate', async () => {
      const client = await SmtpClient.open(ports.postfix);
      await client.expect(220);
      await client.say('EHLO there.example', 250);
      const answer = await client.message(
        'far@b.example',
        ['ann@x.example', 'x@plain.example'],
        'Subject: relayed\n\nhi\n',
      );
      assert.match(answer, /^250/);
      await client.quit();
      await server.logs(
        /<= far@b\.example H=\(postfix\.example\) \[127\.0\.0\.1\] P=esmtpsa X=TLS1\.3:\S+ .*A=server_(?:plain|login):relay/,
      );
      await waitFor('the message', () => server.mail('ann').some((text) => text.includes('Subject: relayed')));
      await postfix.logs(/Verified TLS connection established to localhost/);
      await postfix.logs(/to=<ann@x\.example>, .*status=sent/);
      await exim.logs(/<= far@b\.example .*A=plain:hub/);
    });

    for (const [domain, authenticator] of ways) {
      it(`logs in at Exim for ${domain} with ${authenticator} over TLS`, async () => {
        await send(domain, `to ${domain}`);
        const version = domain === 'old.example' ? 'TLS1\\.2' : 'TLS1\\.3';
        await server.logs(
          new RegExp(
            `=> someone@${domain} R=to_\\w+ T=\\w+ H=localhost \\[127\\.0\\.0\\.1\\] X=${version}:\\S+ CV=yes A=${authenticator}(?::hub)? `,
          ),
        );
        await exim.logs(new RegExp(`=> someone <someone@${domain}> R=all T=file`));
        assert.ok(readFileSync(join(directory, 'exim/mail/box'), 'latin1').includes(`Subject: to ${domain}\n`));
        const id = authenticator === 'external' ? 'hub@x\\.example' : 'hub';
        await exim.logs(new RegExp(`<= a@x\\.example .*P=esmtpsa .*A=${authenticator}:${id}`));
      });
    }

    it('keeps the message when the password is refused, and says which', async () => {
      await send('wrong.example', 'wrong');
      await server.logs(/bad authenticator failed H=localhost \[127\.0\.0\.1\]\S* 535 Incorrect authentication data/);
      await server.logs(
        /== someone@wrong\.example .* defer \(-42\).*authentication required but authentication attempt\(s\) failed/,
      );
      assert.doesNotMatch(exim.log, /wrong\.example/);
    });

    it('does not send to a host whose certificate is for another name', async () => {
      await send('badname.example', 'badname');
      await server.logs(/== someone@badname\.example .* defer \(-37\).*certificate verification failed/);
    });

    it('does not send to a host whose certificate nobody we believe has signed', async () => {
      // the host has just refused us; it is tried again after a second
      await setTimeout(1100);
      await send('badca.example', 'badca');
      await server.logs(/== someone@badca\.example .* defer \(-37\).*certificate verification failed/);
    });

    it('sends to a Postfix over TLS', async () => {
      await send('postfix.example', 'to postfix');
      await server.logs(/=> someone@postfix\.example .* X=TLS1\.3:\S+ CV=yes (?:K )?C="250 2\.0\.0 Ok/);
    });
  });
}
after(() => server.remove());
