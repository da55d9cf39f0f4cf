import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseConfig } from '../../config/load.ts';
import { literal } from '../../safe/taint.ts';
import { reportCheck } from './check.ts';

/** The report about a configuration, without its last line, and whether it can be used. */
async function check(text: string): Promise<{ readonly lines: string[]; readonly usable: boolean }> {
  const { config, problems } = await parseConfig(literal('/etc/x'), text, new Map());
  const lines: string[] = [];
  const usable = reportCheck(config, problems.all, (line) => lines.push(line));
  return { lines: lines.slice(0, -1), usable };
}

/** Only what is said of things that do not do what they seem to. */
async function warnings(text: string): Promise<string[]> {
  return (await check(text)).lines.filter((line) => !line.startsWith('Remark: '));
}

async function remarks(text: string): Promise<string[]> {
  return (await check(text)).lines.filter((line) => line.startsWith('Remark: '));
}

const transports = (options: string): string => `begin transports\nt:\n  driver = appendfile\n${options}\n`;

test('a configuration without faults has nothing to report', async () => {
  assert.deepEqual(await check('primary_hostname = a.example\n'), { lines: [], usable: true });
});

test('a file name made of what a client said is reported with the remedy and the place', async () => {
  for (const [options, variable] of [
    ['file = /var/mail/$local_part', '$local_part'],
    ['directory = /var/mail/${lc:$domain}/x', '$domain'],
    ['file = /var/mail/${if eq{a}{b}{$local_part}{$domain}}', '$local_part'],
    ['file = /var/mail/$h_x-user:', '$header_x-user:'],
  ] as const) {
    const lines = await warnings(transports(`  ${options}`));
    assert.equal(lines.length, 1, options);
    assert.ok(lines[0]?.includes(`is made of ${variable}`), lines[0]);
    assert.ok(lines[0]?.endsWith('(line 4 of /etc/x)'), lines[0]);
  }
});

test('a file name that a table vouches for, or may vouch for, is not reported', async () => {
  for (const options of [
    'file = /var/mail/$local_part_data',
    'directory = /var/mail/${lookup{$local_part}lsearch{/etc/users}}',
    'file = /var/mail/${if eq{a}{b}{$local_part}{x}}',
    'file = /var/mail/${strlen:$local_part}',
  ]) {
    assert.deepEqual(await warnings(transports(`  ${options}`)), [], options);
  }
});

test('files that lookups and ${readfile} open are looked at, too', async () => {
  const acl = (text: string): string => `begin acl\na:\n  deny condition = ${text}\n`;
  assert.match(
    (await warnings(acl('${lookup{x}lsearch{/etc/$domain}}')))[0] ?? '',
    /the file of a lookup is made of \$domain/,
  );
  assert.match(
    (await warnings(acl('${readfile{/etc/$sender_address}}')))[0] ?? '',
    /the file of \$\{readfile\} is made of/,
  );
  assert.deepEqual(await warnings(acl('${lookup{$domain}lsearch{/etc/x}}')), []);
  assert.deepEqual(await warnings(acl('${lookup pgsql{select $domain}}')), []);
});

test('the arguments of a command may be anything, its name may not', async () => {
  const pipe = (command: string): string => `begin transports\np:\n  driver = pipe\n  command = ${command}\n`;
  assert.deepEqual(await warnings(pipe('/bin/filter $local_part')), []);
  assert.equal((await warnings(pipe('$local_part -x'))).length, 1);
});

test('regular expressions that repeat a repetition, or are none, are reported wherever they stand', async () => {
  const lines = await warnings(
    `domainlist d = ^(a+)+\\.example\\$ : b.example : ^(unclosed
begin acl
a:
  deny condition = \${if match{$sender_address}{(x*)*y}}
  deny condition = \${if match{$sender_address}{^(ab)+c*}}
  deny condition = \${sg{$sender_address}{(a|a)+z}{}}
  deny senders = ^([a-z]+[.]?)*@x : ^([a-z]+[.])*@x
`,
  );
  assert.equal(lines.length, 5, lines.join('\n'));
  assert.ok(lines[0]?.startsWith('Warning: domainlist d: the regular expression ^(a+)+'));
  assert.match(lines[1] ?? '', /domainlist d: \^\(unclosed is no regular expression/);
  assert.ok(lines[2]?.includes('(x*)*y'));
  assert.ok(lines[3]?.includes('(a|a)+z'));
  assert.ok(lines[4]?.includes('[.]?'));
});

const router = (name: string, ...options: readonly string[]): string =>
  `${name}:\n${options.map((option) => `  ${option}\n`).join('')}`;
const takesAll = ['driver = accept', 'transport = t'];

test('routers behind one that takes every address are reported', async () => {
  for (const first of [takesAll, [...takesAll, 'domains = *'], [...takesAll, 'condition = true']]) {
    const text = `begin routers\n${router('a', ...first)}${router('b', ...takesAll)}${transports('  file = /x')}`;
    const lines = await warnings(text);
    const place = `line ${2 + first.length + 3} of /etc/x`;
    assert.deepEqual(lines, [
      `Warning: router b is never reached: the router a before it takes every address (${place})`,
    ]);
  }
});

test('routers behind one that lets nothing go on are reported, unless it may pass', async () => {
  const routers = (...options: readonly string[]): Promise<string[]> =>
    warnings(
      `begin routers\n${router('a', 'driver = dnslookup', 'transport = t', ...options)}${router('b', ...takesAll)}${transports('  file = /x')}`,
    );
  assert.match((await routers('no_more'))[0] ?? '', /router b is never reached: the router a before it has no_more/);
  for (const options of [
    [],
    ['no_more', 'self = pass'],
    ['no_more', 'pass_on_timeout'],
    ['no_more', 'domains = ! a.example'],
  ]) {
    assert.deepEqual(await routers(...options), [], options.join());
  }
});

test('a router that others lead to is reached, and so are those behind it', async () => {
  const routers = [
    router('r', 'driver = redirect', 'data = x@y', 'redirect_router = c', 'domains = q'),
    router('a', ...takesAll),
    router('b', ...takesAll),
    router('c', ...takesAll, 'domains = q'),
    router('d', ...takesAll),
  ];
  const lines = await warnings(`begin routers\n${routers.join('')}${transports('  file = /x')}`);
  assert.deepEqual(
    lines.map((line) => line.slice(0, 18)),
    ['Warning: router b '],
  );
});

test('ACL statements behind one that decides for everything are reported', async () => {
  const acl = (...statements: readonly string[]): Promise<string[]> =>
    warnings(`begin acl\na:\n${statements.join('\n')}\n`);
  const [line] = await acl('  accept', '  deny message = x', '  accept');
  assert.equal(
    line,
    'Warning: ACL a: 2 statements are never reached: the "accept" in line 3 decides for everything (line 4 of /etc/x)',
  );
  for (const statement of [
    'deny',
    'drop message = gone',
    'defer',
    'discard',
    'accept hosts = *',
    'deny condition = yes\n  delay = 5s',
  ]) {
    assert.equal((await acl(`  ${statement}`, '  accept')).length, 1, statement);
  }
  for (const statement of [
    'require verify = sender',
    'warn',
    'accept hosts = 127.0.0.1',
    'deny !hosts = *',
    'accept acl = a',
  ]) {
    assert.equal((await acl(`  ${statement}`, '  accept')).length, 0, statement);
  }
});

test('names of transports, lists and ACLs that are not defined are reported with the one that was probably meant', async () => {
  const lines = await warnings(`
acl_smtp_rcpt = chekc
domainlist local_domains = a.example : +reley
domainlist relay = b.example
begin acl
check:
  accept domains = +local_domain : +relay
         hosts = +trusted
  accept acl = other
  accept condition = \${if match_domain{$domain}{+nolist}}
  accept condition = \${acl{third}}
begin routers
r:
  driver = redirect
  domains = ! +remote
  data = x@y
  file_transport = tt
a:
  driver = accept
  transport = mail
begin transports
maill:
  driver = appendfile
  file = /x
t:
  driver = appendfile
  file = \${if match_ip{$sender_host_address}{+hosts}{/x}{/y}}
`);
  for (const part of [
    'router r: file_transport names a transport "tt" that is not defined (did you mean "t"?)',
    'router a: transport names a transport "mail" that is not defined (did you mean "maill"?); what comes to it is deferred (line 20 of',
    'acl_smtp_rcpt names an ACL "chekc" that is not defined (did you mean "check"?)',
    'domainlist local_domains names a domain list "reley" that is not defined (did you mean "relay"?)',
    'router r: domains names a domain list "remote" that is not defined',
    'transport t: file names a host list "hosts" that is not defined',
    'ACL check: domains names a domain list "local_domain" that is not defined (did you mean "local_domains"?)',
    'ACL check: hosts names a host list "trusted" that is not defined',
    'ACL check: acl names an ACL "other" that is not defined',
    'ACL check: condition names a domain list "nolist" that is not defined',
    'ACL check: condition names an ACL "third" that is not defined',
  ]) {
    assert.ok(
      lines.some((line) => line.includes(part)),
      `${part} in\n${lines.join('\n')}`,
    );
  }
  assert.equal(lines.length, 11, lines.join('\n'));
});

test('names that are only known at run time are left alone', async () => {
  const text = `acl_smtp_rcpt = \${if eq{a}{b}{x}{y}}
acl_smtp_data = /etc/acl
acl_smtp_mail = accept hosts = 127.0.0.1
acl_smtp_helo = accept
begin routers
${router('a', 'driver = accept', 'transport = t_$domain_data', 'domains = <; a ; +$domain')}`;
  assert.deepEqual(await warnings(text), []);
});

test('macros, lists, ACLs and transports that nobody uses are told as remarks', async () => {
  assert.deepEqual(
    await remarks(`ONE = 1
TWO = x.example
# ONE is mentioned here only
primary_hostname = TWO
domainlist local_domains = a
hostlist trusted = 127.0.0.1
begin acl
check:
  accept
begin transports
t:
  driver = appendfile
  file = /x
`),
    [
      'Remark: macro ONE is not used (line 1 of /etc/x)',
      'Remark: domainlist local_domains is not used (line 5 of /etc/x)',
      'Remark: hostlist trusted is not used (line 6 of /etc/x)',
      'Remark: ACL check is not used (line 8 of /etc/x)',
      'Remark: transport t is not used (line 13 of /etc/x)',
    ],
  );
  const used = `ONE = 1
domainlist local_domains = a
acl_smtp_rcpt = \${if bool{ONE}{check}{check}}
begin acl
check:
  accept domains = +local_domains
begin routers
${router('a', 'driver = accept', 'transport = ${if eq{a}{b}{t}{t}}')}${transports('  file = /x')}
.ifdef DEBUGGING
.endif
`;
  assert.deepEqual(await remarks(used), []);
});

test('what is obsolete is told with what to write instead', async () => {
  const lines = await remarks(`helo_try_verify_hosts = *
log_selector = +all
acl_smtp_rcpt = a
begin acl
a:
  warn message = X-A: $interface_address \${str2b64:x}
  accept verify = recipient/callout/callout_defer_ok
`);
  assert.deepEqual(
    lines.map((line) => line.replace(/^Remark: /, '')),
    [
      'the option helo_try_verify_hosts is obsolete: the ACL condition "verify = helo" needs it no longer',
      'ACL a: message: $interface_address is an old name of $received_ip_address (line 6 of /etc/x)',
      'ACL a: message: ${str2b64:…} is an old name of base64 (line 6 of /etc/x)',
      'ACL a (/etc/x 6): "message" with "warn" adds header lines; use add_header',
      'ACL a (/etc/x 7): "callout_defer_ok" is an old form: write callout=defer_ok',
    ],
  );
});

test('options without effect are named, and mistakes end with a count', async () => {
  assert.deepEqual(await warnings('begin authenticators\na:\n  driver = gsasl\n  server_service = x\n'), [
    'Warning: authenticator a: the option server_service has no effect: only mechanisms that are not here send the name of a service (line 4 of /etc/x)',
  ]);
  const wrong = await check('nosuch = 1\nprimary_hostnme = a\n');
  assert.equal(wrong.usable, false);
  assert.equal(wrong.lines.length, 2);
  assert.ok(wrong.lines[1]?.includes('primary_hostname'), wrong.lines[1]);
});

test('mistakes of every kind come at once, with file, line and the macros behind them', async () => {
  const { lines, usable } = await check(`HOSTS = 127.0.0.1
primary_hostnme = HOSTS
begin routrs
begin routers
r:
  driver = acccept
s:
  driver = accept
  transprot = t
`);
  assert.equal(usable, false);
  const all = lines.join('\n');
  for (const part of [
    'did you mean "primary_hostname"?',
    'macros used: HOSTS',
    'did you mean "routers"?',
    'did you mean "accept"?',
    'did you mean "transport"?',
    'in line 6 of /etc/x',
  ]) {
    assert.ok(all.includes(part), `${part} in\n${all}`);
  }
});

test('a wrong value of a known option is not taken for a slip in its name', async () => {
  const { lines } = await check(transports('  file = /x\n  user = no-such-user'));
  assert.equal(lines.length, 1);
  assert.ok(lines[0]?.includes('user no-such-user was not found') && !lines[0].includes('did you mean'), lines[0]);
});

test('a scanner that nobody knows is named', async () => {
  const { lines } = await check(`acl_smtp_data = a
av_scanner = kavdaemon:/opt/AVP/AvpCtl
begin acl
a:
  deny malware = *
  accept
`);
  const told = lines.map((line) => line.replace(/ \(line \d+ of .*\)$/, ''));
  assert.deepEqual(told, ['Warning: the virus scanner kavdaemon is unknown; the condition malware defers']);
});
