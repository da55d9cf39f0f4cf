/** The heimdal_gssapi authenticator with a real Kerberos realm: a server of keys, tickets, and the clients of others. */

import assert from 'node:assert/strict';
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createInterface, type Interface } from 'node:readline';
import { after, before, test } from 'node:test';
import { bin, freePort, TestServer, waitFor } from './server.ts';
import { SmtpClient } from './smtp-client.ts';

const realm = 'TEST.EXAMPLE';
const hostname = 'mx.x.example';
const path = `/usr/sbin:/usr/bin:/sbin:/bin`;

let server: TestServer;
let keyServer: ChildProcess;
let environment: Record<string, string>;

/** Runs a program of Kerberos; it must succeed. */
function run(program: string, words: readonly string[], input = ''): string {
  const { status, stdout, stderr } = spawnSync(program, words, { input, env: environment, encoding: 'utf8' });
  assert.equal(status, 0, `${program}: ${stdout}${stderr}`);
  return stdout;
}

const administer = (command: string): string => run('kadmin.local', ['-r', realm, '-q', command]);

function tickets(user: string): Record<string, string> {
  const cache = `FILE:${server.path(`tickets-${user}`)}`;
  run('kinit', ['-c', cache, user], 'secret\n');
  return { ...environment, KRB5CCNAME: cache };
}

before(async () => {
  server = await TestServer.make();
  const port = await freePort();
  const options =
    'dns_lookup_kdc = false\n dns_lookup_realm = false\n rdns = false\n dns_canonicalize_hostname = false';
  server.write(
    'krb5.conf',
    `[libdefaults]\n default_realm = ${realm}\n ${options}\n[realms]\n ${realm} = {\n  kdc = 127.0.0.1:${port}\n }\n`,
  );
  server.write(
    'kdc.conf',
    `[kdcdefaults]\n kdc_listen = 127.0.0.1:${port}\n kdc_tcp_listen = 127.0.0.1:${port}\n[realms]\n ${realm} = {
  database_name = ${server.path('principal')}\n  key_stash_file = ${server.path('stash')}\n  acl_file = ${server.path('acl')}\n }\n`,
  );
  environment = { PATH: path, KRB5_CONFIG: server.path('krb5.conf'), KRB5_KDC_PROFILE: server.path('kdc.conf') };
  run('kdb5_util', ['-r', realm, 'create', '-s', '-P', 'master']);
  for (const user of ['ann', 'ben']) administer(`addprinc -pw secret ${user}`);
  administer(`addprinc -randkey smtp/${hostname}`);
  administer(`ktadd -k ${server.path('keytab')} smtp/${hostname}`);
  server.write('keytab', readFileSync(server.path('keytab')));
  keyServer = spawn('krb5kdc', ['-n', '-r', realm], { env: environment, stdio: 'ignore' });
  await waitFor('the key server', () => spawnSync('kinit', ['-V', 'nobody'], { env: environment }).status === 1);
});

after(async () => {
  for (const half of halves) half.end();
  keyServer.kill();
  await server.remove();
});

async function serve(keytab = server.path('keytab'), more = ''): Promise<void> {
  await server.stop();
  server.configure({
    main: `add_environment = KRB5_CONFIG=${server.path('krb5.conf')}${more}\nlog_selector = +smtp_mailauth`,
    acl: '  accept authenticated = *',
    retry: `* * F,2h,15m
begin authenticators
kerberos:
  driver = heimdal_gssapi
  public_name = GSSAPI
  server_keytab = ${keytab}
  server_condition = \${if eq{$auth1}{ann@${realm}}}
  server_set_id = $auth1 as $auth2
`,
  });
  await server.start();
}

/** The client's half of the mechanism, by the library: `init`, `take TOKEN`, and `layer TOKEN WANTED` in base64. */
const halfOfClient = `
use strict; use GSSAPI; use MIME::Base64; $| = 1;
my ($name, $context);
GSSAPI::Name->import($name, 'smtp@${hostname}', GSSAPI::OID::gss_nt_hostbased_service());
while (my $line = <STDIN>) {
  my ($what, $token, $wanted) = split ' ', $line;
  my ($answer, $state, $quality) = ('');
  if ($what eq 'layer') {
    my $offer;
    $context->unwrap(decode_base64($token), $offer, $state, $quality) or die;
    die unless $offer eq "\\1\\0\\0\\0";
    $context->wrap(0, 0, decode_base64($wanted), $state, $answer) or die;
  } else {
    undef $context if $what eq 'init';
    GSSAPI::Context::init($context, GSS_C_NO_CREDENTIAL, $name, GSSAPI::OID::gss_mech_krb5, GSS_C_MUTUAL_FLAG | GSS_C_INTEG_FLAG, 0,
      GSS_C_NO_CHANNEL_BINDINGS, $what eq 'init' ? '' : decode_base64($token), undef, $answer, undef, undef) or die;
  }
  print encode_base64($answer, ''), "\\n";
}`;

const halves: Half[] = [];

class Half {
  readonly #child: ChildProcess;
  readonly #lines: Interface;

  constructor(user: string) {
    this.#child = spawn('perl', ['-e', halfOfClient], { env: tickets(user), stdio: ['pipe', 'pipe', 'inherit'] });
    assert.ok(this.#child.stdout !== null);
    this.#lines = createInterface(this.#child.stdout);
    halves.push(this);
  }

  ask(line: string): Promise<string> {
    return new Promise((resolve, reject) => {
      this.#lines.removeAllListeners().once('line', resolve);
      this.#lines.once('close', () => reject(new Error('the client has died')));
      this.#child.stdin?.write(`${line}\n`);
    });
  }

  end(): void {
    this.#child.kill();
  }
}

const challengeIn = (answer: string): string => answer.slice('334 '.length).trim();
const wanted = (layer: string, who = ''): string => Buffer.from(`${layer}${who}`, 'latin1').toString('base64');
const plain = '\x01\0\0\0';

/** Logs in up to the choice of a layer; answers what the server says to that. */
async function logIn(client: SmtpClient, half: Half, choice: string): Promise<string> {
  const first = await client.say(`AUTH GSSAPI ${await half.ask('init')}`, 334);
  assert.equal(await half.ask(`take ${challengeIn(first)}`), '');
  const offer = await client.say('', 334);
  return client.say(await half.ask(`layer ${challengeIn(offer)} ${choice}`));
}

test('a client with a ticket logs in, and is who the realm says it is', async () => {
  await serve();
  const half = new Half('ann');
  for (const [who, shown] of [
    ['', `ann@${realm}`],
    ['boss@x.example', 'boss@x.example'],
  ] as const) {
    const client = await SmtpClient.greet(server.port);
    assert.match(await logIn(client, half, wanted(plain, who)), /^235 /);
    await client.say('MAIL FROM:<ann@x.example>', 250);
    await client.say('RCPT TO:<ben@x.example>', 250);
    await client.say('DATA', 354);
    await client.say('Subject: x\r\n\r\nx\r\n.', 250);
    await client.say('QUIT', 221);
    await server.logs(new RegExp(`<= ann@x\\.example .* P=esmtpa A=kerberos:ann@${realm} as ${shown} `));
  }
});

test('the mechanism may begin with an empty challenge', async () => {
  const half = new Half('ann');
  const client = await SmtpClient.greet(server.port);
  await client.say('AUTH GSSAPI', 334);
  const first = await client.say(await half.ask('init'), 334);
  await half.ask(`take ${challengeIn(first)}`);
  const offer = await client.say('', 334);
  assert.match(await client.say(await half.ask(`layer ${challengeIn(offer)} ${wanted(plain)}`)), /^235 /);
  await client.say('QUIT', 221);
});

test('the client of the GNU SASL library logs in', () => {
  const words = ['--smtp', '-m', 'GSSAPI', '--service=smtp', `--hostname=${hostname}`, '-a', 'ann', '-z', 'ann'];
  const { stdout } = spawnSync('gsasl', [...words, '--no-starttls', '--connect', `127.0.0.1:${server.port}`], {
    env: tickets('ann'),
    encoding: 'utf8',
    timeout: 20_000,
  });
  assert.match(stdout, /^235 /m);
});

test('server_condition decides about who is proved to be somebody', async () => {
  const half = new Half('ben');
  const client = await SmtpClient.greet(server.port);
  assert.match(await logIn(client, half, wanted(plain)), /^535 /);
  await client.say('QUIT', 221);
});

test('tokens that are none, come twice or want too much are refused, and others are served meanwhile', async () => {
  const half = new Half('ann');
  const refused = async (say: (client: SmtpClient) => Promise<string>, code: RegExp): Promise<void> => {
    const client = await SmtpClient.greet(server.port);
    assert.match(await say(client), code);
    await client.say('QUIT', 221);
  };
  const garbage = (size: number): string => Buffer.alloc(size, 'x').toString('base64');
  for (const size of [1, 100, 9000]) await refused((client) => client.say(`AUTH GSSAPI ${garbage(size)}`), /^535 /);
  await refused((client) => client.say('AUTH GSSAPI ='), /^535 /);
  await refused((client) => client.say('AUTH GSSAPI !!'), /^501 /);
  const once = await half.ask('init');
  await refused(async (client) => {
    await client.say(`AUTH GSSAPI ${once}`, 334);
    return client.say('*');
  }, /^501 /);
  await refused((client) => client.say(`AUTH GSSAPI ${once}`), /^535 /);
  const toward = async (client: SmtpClient): Promise<string> => {
    const first = await client.say(`AUTH GSSAPI ${await half.ask('init')}`, 334);
    await half.ask(`take ${challengeIn(first)}`);
    return challengeIn(await client.say('', 334));
  };
  await refused(async (client) => {
    await client.say(`AUTH GSSAPI ${await half.ask('init')}`, 334);
    return client.say(garbage(10));
  }, /^535 /);
  await refused(async (client) => {
    await toward(client);
    return client.say(garbage(40));
  }, /^535 /);
  for (const layer of ['\x02\0\0\0', '\x04\xff\xff\xff', '\x01', '']) {
    await refused(
      async (client) => client.say(await half.ask(`layer ${await toward(client)} ${wanted(layer)}`)),
      /^535 /,
    );
  }
  const waiting = await SmtpClient.greet(server.port);
  await toward(waiting);
  const client = await SmtpClient.greet(server.port);
  assert.match(await logIn(client, half, wanted(plain)), /^235 /);
  waiting.socket.destroy();
});

test('without its keys the mechanism is not offered, and the log says once what is missing', async () => {
  const missing = server.path('nosuch');
  await serve(missing);
  for (let round = 0; round < 2; round++) {
    const client = await SmtpClient.open(server.port);
    await client.expect(220);
    assert.doesNotMatch(await client.say('EHLO client.example', 250), /AUTH/);
    await client.say('QUIT', 221);
  }
  const told =
    /kerberos authenticator is not offered: [^\n]*Key table file [^\n]* not found \(server_keytab must name/g;
  await server.logs(/is not offered/);
  assert.equal(server.log('main').match(told)?.length, 1);
  const { stdout } = spawnSync(`${bin}/tabella`, ['check', '-C', server.path('config')], { encoding: 'utf8' });
  assert.match(
    stdout,
    new RegExp(`authenticator kerberos cannot serve clients: ${missing} of server_keytab is not there`),
  );
});

test('without the Perl module the mechanism is not offered, and the log says what to install', async () => {
  server.makeDirectory('perl');
  server.write('perl/GSSAPI.pm', 'die "not here";');
  await serve(undefined, ` : PERL5LIB=${server.path('perl')}`);
  const client = await SmtpClient.open(server.port);
  await client.expect(220);
  assert.doesNotMatch(await client.say('EHLO client.example', 250), /AUTH/);
  await client.say('QUIT', 221);
  await server.logs(
    /kerberos authenticator is not offered: the Perl module GSSAPI is not installed \(Debian: apt install libgssapi-perl\)/,
  );
});
