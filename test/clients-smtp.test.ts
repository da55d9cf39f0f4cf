/**
 * SMTP with AUTH and TLS as other programs speak it: swaks in all its modes, openssl, a Postfix that relays through us, and
 * Exim and Postfix as the next hop.
 */

import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { after, before, describe, it } from 'node:test';
import { freePort } from '../src/lookups/test-servers.ts';
import { TestServer, tableRouters, tableTransports, waitFor } from './server.ts';
import { SmtpClient } from './smtp-client.ts';
import { TestAuthority } from './test-certificates.ts';

const server = await TestServer.make();
const tlsPort = await freePort();
const authority = new TestAuthority(server.makeDirectory('certificates'));
authority.issue('a.pem', '/CN=mx.x.example', 'DNS:mx.x.example,DNS:localhost,IP:127.0.0.1');
authority.issue('b.pem', '/CN=b.example', 'DNS:b.example');
authority.issue('client.pem', '/CN=Ann', 'email:ann@x.example');
authority.issue(
  'many.pem',
  '/C=DE/O=A, Inc./OU=One/OU=Two/CN=Ann "x"/DC=a/emailAddress=a@b',
  'email:ann@x.example,DNS:h.example,DNS:*.g.example,URI:http://x.example/a:b,email:two@x.example,IP:1.2.3.4',
);
const stranger = new TestAuthority(server.makeDirectory('strangers'));
stranger.issue('client.pem', '/CN=Ann', 'email:ann@x.example');
const certificates = authority.directory;

/** What openssl makes of a password. */
const hashed = (form: '-1' | '-5' | '-6', password: string): string =>
  spawnSync('openssl', ['passwd', form, password], { encoding: 'utf8' }).stdout.trim();

const password = 'se cr^et"$';
const argon2 = '$argon2i$v=19$m=4096,t=3,p=1$kSCCFFQ5R5p58YpxTIuoWQ$pwtDAE2/xIA4aBf5zkU/OCFxw8+6T16svcC9/s0awiM';

/** Fields of a certificate, and what the real Exim makes of them. */
const fields: readonly (readonly [field: string, value: string])[] = [
  ['version', '[3]'],
  ['subject', '[C=DE,O=A\\, Inc.,OU=One,OU=Two,CN=Ann \\"x\\",DC=a,EMAIL=a@b]'],
  ['issuer', '[CN=Test authority]'],
  ['subj_altname,mail', '[ann@x.example\\ntwo@x.example]'],
  ['subj_altname,mail,>:', '[ann@x.example:two@x.example]'],
  ['subj_altname,dns,>;', '[h.example;*.g.example]'],
  ['subj_altname,uri,>:', '[http:://x.example/a::b]'],
  [
    'subj_altname,>:',
    '[MAIL=ann@x.example:DNS=h.example:DNS=*.g.example:URI=http:://x.example/a::b:MAIL=two@x.example]',
  ],
  ['subject,OU', '[One\\nTwo]'],
  ['subject,OU,>:', '[One:Two]'],
  ['subject,O', '[A, Inc.]'],
  ['subject,XX', 'none'],
  ['subject,cn', 'none'],
  ['issuer,CN', '[Test authority]'],
  ['ocsp_uri', 'none'],
  ['crl_uri', 'none'],
];

const authenticators = (passwords: string): string => `
begin authenticators
plain:
  driver = plaintext
  public_name = PLAIN
  server_prompts = :
  server_condition = \${lookup{$auth2}lsearch{${passwords}}{\${if crypteq{$auth3}{$value}}}{no}}
  server_set_id = $auth2
login:
  driver = plaintext
  public_name = LOGIN
  server_prompts = Username:: : Password::
  server_condition = \${lookup{$auth1}lsearch{${passwords}}{\${if crypteq{$auth2}{$value}}}{no}}
  server_set_id = $auth1
cram:
  driver = cram_md5
  public_name = CRAM-MD5
  server_secret = \${if eq{$auth1}{ann}{${password.replace('$', '\\$')}}fail}
  server_set_id = $auth1
external:
  driver = external
  public_name = EXTERNAL
  server_advertise_condition = $tls_in_certificate_verified
  server_param2 = \${certextract{subj_altname,mail,>:}{$tls_in_peercert}}
  server_condition = \${if inlist{$auth1}{$auth2}}
  server_set_id = $auth1
`;

before(async () => {
  const hashes = [
    `ann: ${hashed('-6', password)}`,
    `ben: {CRYPT}${hashed('-5', 'ben')}`,
    `eve: ${argon2}`,
    `old: ${hashed('-1', 'old')}`,
  ];
  const passwords = server.write('passwords', `${hashes.join('\n')}\n`);
  const file = `${certificates}/\${if eq{$tls_in_sni}{b.example}{b.pem}{a.pem}}`;
  server.configure({
    main: `tls_certificate = ${file}
tls_verify_certificates = ${authority.certificate}
tls_try_verify_hosts = *
tls_advertise_hosts = *
tls_on_connect_ports = ${tlsPort}
log_selector = +tls_sni +tls_certificate_verified +tls_peerdn`,
    acl: `  warn senders = fields@b.example
${fields.map(([field]) => `       logwrite = ${field} <\${certextract{${field}}{$tls_in_peercert}{[$value]}{none}}>\n`).join('')}
       logwrite = sha256 <\${sha256:$tls_in_peercert}>
  accept authenticated = *
  accept domains = x.example
  deny message = relay not permitted`,
    routers: `${tableRouters(server.directory)}
swallow:
  driver = redirect
  data = :blackhole:
`,
    transports: tableTransports,
    retry: `* * F,2h,15m\n${authenticators(passwords)}`,
  });
  await server.start(['-oX', `127.0.0.1.${server.port} : 127.0.0.1.${tlsPort}`]);
});
after(() => server.remove());

interface Said {
  readonly status: number | null;
  readonly text: string;
}

/** Runs a client without keeping this process from its work. */
function client(name: string, words: readonly string[], input = ''): Promise<Said> {
  return new Promise((resolve, reject) => {
    const settings = { env: { PATH: '/usr/bin:/bin', HOME: server.directory }, timeout: 30_000 };
    const child = spawn(name, words, settings);
    let text = '';
    const take = (part: string): void => {
      text += part;
    };
    child.stdout.setEncoding('latin1').on('data', take);
    child.stderr.setEncoding('latin1').on('data', take);
    child.on('error', reject).on('close', (status) => resolve({ status, text }));
    child.stdin.on('error', () => undefined).end(input);
  });
}

/** Without a recipient swaks asks for one without end. */
const swaks = (port: number, ...words: readonly string[]): Promise<Said> =>
  client('swaks', [
    '--server',
    '127.0.0.1',
    '--port',
    String(port),
    '--ehlo',
    'c.example',
    '--to',
    'x@x.example',
    ...words,
  ]);

const asAnn = (mechanism: string, secret = password): string[] => [
  '--auth',
  mechanism,
  '--auth-user',
  'ann',
  '--auth-password',
  secret,
];

const tlsModes: readonly (readonly [name: string, port: number, words: readonly string[], protocol: string])[] = [
  ['in the clear', server.port, [], 'esmtpa'],
  ['after STARTTLS', server.port, ['--tls'], 'esmtpsa'],
  ['over TLS from the first octet', tlsPort, ['--tls-on-connect'], 'esmtpsa'],
];

let count = 0;

describe('swaks', () => {
  for (const [how, port, words, protocol] of tlsModes) {
    for (const mechanism of ['PLAIN', 'LOGIN', 'CRAM-MD5']) {
      it(`logs in with ${mechanism} ${how} and relays`, async () => {
        const subject = `number-${++count}`;
        const said = await swaks(
          port,
          ...['--from', 'ann@x.example', '--to', 'ben@x.example,far@away.example', ...words, ...asAnn(mechanism)],
          ...['--header', `Subject: ${subject}`],
        );
        assert.equal(said.status, 0, said.text);
        assert.match(said.text, /235 Authentication succeeded/);
        const name = { PLAIN: 'plain', LOGIN: 'login', 'CRAM-MD5': 'cram' }[mechanism];
        const secured = protocol === 'esmtpsa' ? ' X=TLS1\\.3:TLS_AES_256_GCM_SHA384:256 CV=no' : '';
        await server.logs(
          new RegExp(
            `<= ann@x\\.example H=\\(c\\.example\\) \\[127\\.0\\.0\\.1\\] P=${protocol}${secured} A=${name}:ann`,
          ),
        );
        await waitFor('the message', () => server.mail('ben').some((text) => text.includes(`Subject: ${subject}\n`)));
        const received = server.mail('ben').find((text) => text.includes(`Subject: ${subject}\n`)) ?? '';
        assert.match(received, new RegExp(`with ${protocol}${protocol === 'esmtpa' ? '' : ' *\\(TLS1\\.3\\)'}`));
      });

      it(`is told the same for a wrong password and an unknown user with ${mechanism} ${how}`, async () => {
        const common = ['--from', 'a@b.example', '--to', 'far@away.example', '--quit-after', 'RCPT', ...words];
        const wrong = await swaks(port, ...common, ...asAnn(mechanism, 'wrong'));
        const unknown = await swaks(
          port,
          ...common,
          '--auth',
          mechanism,
          '--auth-user',
          'nobody',
          '--auth-password',
          'wrong',
        );
        for (const said of [wrong, unknown]) {
          assert.equal(said.status, 28, said.text);
          assert.match(said.text, /535 Incorrect authentication data/);
        }
      });
    }

    it(`is not let through without logging in ${how}`, async () => {
      const said = await swaks(port, '--from', 'a@b.example', '--to', 'far@away.example', ...words);
      assert.equal(said.status, 24, said.text);
      assert.match(said.text, /550 relay not permitted/);
    });
  }

  for (const [user, secret] of [
    ['ben', 'ben'],
    ['eve', 'päss wörd'],
    ['old', 'old'],
  ] as const) {
    it(`logs ${user} in, whose password has another kind of hash`, async () => {
      const words = ['--auth', 'PLAIN', '--auth-user', user, '--auth-password', secret, '--quit-after', 'AUTH'];
      const said = await swaks(server.port, '--tls', ...words);
      assert.match(said.text, /235 Authentication succeeded/);
    });
  }

  it('checks the certificate and finds it good for the name it asked for', async () => {
    const words = ['--tls', '--tls-verify', '--tls-ca-path', authority.certificate, '--quit-after', 'TLS'];
    assert.equal((await swaks(server.port, ...words, '--tls-sni', 'b.example')).status, 0);
    assert.notEqual((await swaks(server.port, '--tls', '--tls-verify', '--quit-after', 'TLS')).status, 0);
  });

  it('shows a certificate of its own, which the log tells of', async () => {
    const own = ['--tls-cert', `${certificates}/client.pem`, '--tls-key', `${certificates}/client.pem`];
    const said = await swaks(server.port, '--tls', ...own, '--from', 'cert@b.example', '--to', 'ben@x.example');
    assert.equal(said.status, 0, said.text);
    await server.logs(/<= cert@b\.example .* P=esmtps X=TLS1\.3:\S+ CV=yes DN="CN=Ann"/);
  });
});

/**
 * A session through openssl: lines are sent one after the other, each when the answer to the one before is there. A capital
 * Q or R at the beginning of a line is a command to openssl.
 */
async function session(words: readonly string[], lines: readonly string[]): Promise<string> {
  const child = spawn('openssl', ['s_client', '-quiet', '-no_ign_eof', '-CAfile', authority.certificate, ...words], {
    timeout: 30_000,
  });
  let said = '';
  child.stdout.setEncoding('latin1').on('data', (text: string) => {
    said += text;
  });
  child.stderr.on('data', () => undefined);
  child.stdin.on('error', () => undefined);
  const ended = new Promise<void>((resolve) => child.on('close', () => resolve()));
  const answers = (): number => said.split('\n').filter((line) => /^\d{3}(?: |\r?$)/.test(line)).length;
  // the answer to EHLO is the last that openssl swallows, or the greeting is the first that it shows
  let wanted = 1;
  await waitFor('the first answer', () => answers() >= wanted || child.exitCode !== null).catch(() => undefined);
  for (const line of lines) {
    child.stdin.write(`${line}\r\n`);
    wanted++;
    await waitFor(`an answer to ${line}`, () => answers() >= wanted || child.exitCode !== null, 5);
  }
  child.stdin.end();
  await ended;
  return said;
}

const starttls = ['-starttls', 'smtp', '-name', 'c.example', '-connect', `127.0.0.1:${server.port}`];
const onConnect = ['-connect', `127.0.0.1:${tlsPort}`];
const base64 = (text: string): string => Buffer.from(text, 'latin1').toString('base64');

/** The subject of the certificate that is shown. */
async function certificateShown(...words: readonly string[]): Promise<string> {
  const { text } = await client('openssl', ['s_client', '-CAfile', authority.certificate, ...words], 'QUIT\n');
  return /subject=(.*)/.exec(text)?.[1] ?? text;
}

describe('openssl', () => {
  it('is shown the certificate of the name it asks for', async () => {
    for (const place of [starttls, onConnect]) {
      assert.equal(await certificateShown(...place, '-servername', 'b.example'), 'CN = b.example');
      assert.equal(await certificateShown(...place, '-servername', 'mx.x.example'), 'CN = mx.x.example');
      assert.equal(await certificateShown(...place, '-noservername'), 'CN = mx.x.example');
      assert.equal(await certificateShown(...place, '-servername', '../../etc/passwd'), 'CN = mx.x.example');
    }
  });

  it('is shown a certificate that was put in place of the old one, without a restart', async () => {
    const old = readFileSync(`${certificates}/b.pem`);
    authority.issue('b.pem', '/CN=renewed', 'DNS:b.example');
    assert.equal(await certificateShown(...onConnect, '-servername', 'b.example'), 'CN = renewed');
    assert.equal(await certificateShown(...onConnect, '-servername', 'other.example'), 'CN = mx.x.example');
    server.write('certificates/b.pem', old);
    assert.equal(await certificateShown(...onConnect, '-servername', 'b.example'), 'CN = b.example');
  });

  it('is told that TLS cannot be had while the certificate is broken, and is served again when it is mended', async () => {
    const good = readFileSync(`${certificates}/a.pem`);
    server.write('certificates/a.pem', 'no certificate\n');
    const { text } = await client('openssl', ['s_client', ...starttls], 'QUIT\n');
    assert.doesNotMatch(text, /BEGIN CERTIFICATE/);
    await server.logs(/TLS error on connection from/, 'panic');
    assert.match((await swaks(server.port, '--tls')).text, /454 TLS currently unavailable/);
    server.write('certificates/a.pem', good);
    assert.equal(await certificateShown(...starttls), 'CN = mx.x.example');
  });

  for (const version of ['-tls1_2', '-tls1_3']) {
    it(`speaks ${version.slice(1)}`, async () => {
      assert.match(await session([...onConnect, version], ['EHLO c.example', 'quit']), /^221 /m);
    });
  }

  it('logs in with its certificate and EXTERNAL', async () => {
    const own = ['-cert', `${certificates}/client.pem`];
    const said = await session(
      [...onConnect, ...own],
      ['EHLO c.example', `AUTH EXTERNAL ${base64('ann@x.example')}`, 'quit'],
    );
    assert.match(said, /250-AUTH PLAIN LOGIN CRAM-MD5 EXTERNAL/);
    assert.match(said, /^235 /m);
  });

  it('shows a certificate whose fields are what the real Exim finds in it', async () => {
    const file = `${certificates}/many.pem`;
    await session(
      [...onConnect, '-cert', file],
      ['EHLO c', 'MAIL FROM:<fields@b.example>', 'rcpt to:<x@x.example>', 'quit'],
    );
    await server.logs(/ sha256 </);
    const lines = server
      .log()
      .split('\n')
      .map((line) => line.replace(/^\S+ \S+ /, ''));
    for (const [field, value] of fields)
      assert.ok(
        lines.includes(`${field} <${value}>`),
        `${field}: ${lines.filter((line) => line.startsWith(`${field} `))}`,
      );
    const shown = (...words: readonly string[]): string =>
      spawnSync('openssl', ['x509', '-in', file, '-noout', ...words], { encoding: 'utf8' }).stdout.trim();
    const fingerprint = shown('-fingerprint', '-sha256').replace(/^.*=|:/g, '');
    assert.ok(lines.includes(`sha256 <${fingerprint}>`));
  });

  it('is not let in as somebody else, nor with a certificate that we do not believe', async () => {
    const own = ['-cert', `${certificates}/client.pem`];
    const attempt = ['EHLO c.example', `AUTH EXTERNAL ${base64('eve@x.example')}`, 'quit'];
    assert.match(await session([...onConnect, ...own], attempt), /^535 /m);
    const strange = ['-cert', `${stranger.directory}/client.pem`];
    const said = await session(
      [...onConnect, ...strange],
      ['EHLO c.example', `AUTH EXTERNAL ${base64('ann@x.example')}`, 'quit'],
    );
    assert.match(said, /250-AUTH PLAIN LOGIN CRAM-MD5\r/);
    assert.match(said, /^504 /m);
  });

  it('gets clear answers to wrong input', async () => {
    const said = await session(onConnect, [
      'EHLO c.example',
      'STARTTLS',
      'AUTH',
      'AUTH PLAIN !!!',
      'AUTH NOSUCH',
      'QUIT',
    ]);
    assert.deepEqual(
      said.split(/\r?\n/).filter((line) => /^[45]/.test(line)),
      [
        '503 STARTTLS command used when not advertised',
        '504  authentication mechanism not supported',
        '501 Invalid base64 data',
        '504 NOSUCH authentication mechanism not supported',
      ],
    );
  });

  it('leaves the server unharmed when it speaks no TLS where TLS is due, or TLS where it is not', async () => {
    const { text } = await client('openssl', ['s_client', '-connect', `127.0.0.1:${server.port}`], 'QUIT\n');
    assert.match(text, /wrong version number|packet length too long|unexpected eof/);
    const plain = await SmtpClient.open(tlsPort);
    await plain.send('EHLO c.example\r\n');
    assert.doesNotMatch(await plain.rest(), /^\d{3}/m);
    await server.logs(/TLS error on connection from \S*\[127\.0\.0\.1\]\S* \(SSL_accept\)/);
    assert.equal((await swaks(server.port, '--tls', '--quit-after', 'TLS')).status, 0);
  });

  it('cannot slip commands in before TLS begins', async () => {
    const hasty = await SmtpClient.greet(server.port);
    await hasty.send('STARTTLS\r\nMAIL FROM:<a@b.example>\r\n');
    assert.match(await hasty.rest(), /^554 SMTP synchronization error/);
  });
});
