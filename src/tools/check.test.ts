import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseConfig } from '../config/load.ts';
import { literal } from '../safe/taint.ts';
import { reportCheck } from './check.ts';

/** The report about a configuration, without its last line, and whether it can be used. */
function check(text: string): { readonly lines: string[]; readonly usable: boolean } {
  const { config, problems } = parseConfig(literal('/etc/x'), text, new Map());
  const lines: string[] = [];
  const usable = reportCheck(config, problems.all, (line) => lines.push(line));
  return { lines: lines.slice(0, -1), usable };
}

const transports = (options: string): string => `begin transports\nt:\n  driver = appendfile\n${options}\n`;

test('a configuration without faults has nothing to report', () => {
  assert.deepEqual(check('primary_hostname = a.example\n'), { lines: [], usable: true });
});

test('a file name made of what a client said is reported with the remedy', () => {
  for (const [options, variable] of [
    ['file = /var/mail/$local_part', '$local_part'],
    ['directory = /var/mail/${lc:$domain}/x', '$domain'],
    ['file = /var/mail/${if eq{a}{b}{$local_part}{$domain}}', '$local_part'],
    ['file = /var/mail/$h_x-user:', '$header_x-user:'],
  ] as const) {
    const { lines, usable } = check(transports(`  ${options}`));
    assert.equal(usable, true);
    assert.equal(lines.length, 1, options);
    assert.ok(lines[0]?.includes(`is made of ${variable}`), lines[0]);
  }
});

test('a file name that a table vouches for, or may vouch for, is not reported', () => {
  for (const options of [
    'file = /var/mail/$local_part_data',
    'directory = /var/mail/${lookup{$local_part}lsearch{/etc/users}}',
    'file = /var/mail/${if eq{a}{b}{$local_part}{x}}',
    'file = /var/mail/${strlen:$local_part}',
  ]) {
    assert.deepEqual(check(transports(`  ${options}`)).lines, [], options);
  }
});

test('the arguments of a command may be anything, its name may not', () => {
  const pipe = (command: string): string => `begin transports\np:\n  driver = pipe\n  command = ${command}\n`;
  assert.deepEqual(check(pipe('/bin/filter $local_part')).lines, []);
  assert.equal(check(pipe('$local_part -x')).lines.length, 1);
});

test('regular expressions that repeat a repetition are reported, wherever they stand', () => {
  const { lines } = check(
    'domainlist d = ^(a+)+\\.example\\$ : b.example\nbegin acl\na:\n  deny condition = ${if match{$sender_address}{(x*)*y}}\n  deny condition = ${if match{$sender_address}{^(ab)+c*}}\n',
  );
  assert.equal(lines.length, 2, lines.join('\n'));
  assert.ok(lines[0]?.startsWith('Warning: domainlist d: the regular expression ^(a+)+'));
  assert.ok(lines[1]?.includes('(x*)*y'));
});

test('routers behind one that takes every address are reported', () => {
  const routers = 'begin routers\na:\n  driver = accept\n  transport = t\nb:\n  driver = accept\n  transport = t\n';
  const { lines } = check(`${routers}${transports('  file = /var/mail/x')}`);
  assert.deepEqual(lines, ['Warning: router b is never reached: the router a before it takes every address']);
});

test('options without effect are named, and mistakes end with a count', () => {
  const { lines } = check('tls_ocsp_file = /etc/c.der\n');
  assert.deepEqual(lines, ['Warning: the option tls_ocsp_file has no effect in this version']);
  const wrong = check('nosuch = 1\nprimary_hostnme = a\n');
  assert.equal(wrong.usable, false);
  assert.equal(wrong.lines.length, 2);
  assert.ok(wrong.lines[1]?.includes('primary_hostname'), wrong.lines[1]);
});

test('conditions that are never true, and a scanner that cannot be asked, are named', () => {
  const { lines } = check(`acl_smtp_data = a
begin acl
a:
  deny spf = fail
  deny !dkim_status = pass
  deny malware = *
  accept
`);
  assert.deepEqual(lines, [
    'Warning: ACL a: the condition spf is never true in this version',
    'Warning: ACL a: the condition dkim_status is never true in this version',
    'Warning: the virus scanner sophie cannot be asked in this version; the condition malware defers',
  ]);
});
