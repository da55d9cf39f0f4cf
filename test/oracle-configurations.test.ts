/**
 * Real configurations: those that Debian makes (a single file or split, for every kind of site) and the example that comes
 * with Exim. They are read and shown, and addresses and expansions come out as with the real one.
 */

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { type Files, type Job, type Outcome, oracleRoot, requireOracle, runBoth } from './oracle/room.ts';

const sites = ['internet', 'smarthost', 'satellite', 'local'] as const;

/** The settings that Debian asks the administrator for. */
const settings = (site: string, split: boolean): string => `
dc_eximconfig_configtype='${site}'
dc_other_hostnames='a.b : mail.example'
dc_local_interfaces='127.0.0.1 ; ::1'
dc_readhost='${site === 'satellite' ? 'read.example' : ''}'
dc_relay_domains='${site === 'internet' ? 'relay.example' : ''}'
dc_minimaldns='false'
dc_relay_nets='${site === 'internet' ? '10.0.0.0/8' : ''}'
dc_smarthost='${site === 'smarthost' || site === 'satellite' ? 'h.example::587' : ''}'
CFILEMODE='644'
dc_use_split_config='${split}'
dc_hide_mailname='${site === 'satellite'}'
dc_mailname_in_oh='true'
dc_localdelivery='maildir_home'
`;

/** The file that Debian's own script makes of its templates. */
function debianConfiguration(site: string, split: boolean): string {
  requireOracle();
  const work = mkdtempSync(join(tmpdir(), 'tabella-debian-'));
  try {
    cpSync(join(oracleRoot, 'etc/exim4'), work, { recursive: true });
    writeFileSync(join(work, 'update-exim4.conf.conf'), settings(site, split));
    // the script gives the file to a group that only an installed Exim has made, and asks for a mail name
    mkdirSync(join(work, 'tools'));
    writeFileSync(join(work, 'tools/chown'), '#!/bin/sh\n', { mode: 0o755 });
    const path = [join(work, 'tools'), join(oracleRoot, 'usr/sbin'), '/usr/sbin:/usr/bin:/sbin:/bin'].join(':');
    const made = spawnSync(
      'sh',
      [join(oracleRoot, 'usr/sbin/update-exim4.conf'), '-d', work, '-o', join(work, 'made')],
      { encoding: 'utf8', env: { PATH: path } },
    );
    assert.equal(made.status, 0, made.stderr);
    return readFileSync(join(work, 'made'), 'latin1').replaceAll(work, '/mnt/etc');
  } finally {
    rmSync(work, { recursive: true, force: true, maxRetries: 20 });
  }
}

const exampleFile = join(oracleRoot, 'usr/share/doc/exim4-base/examples/example.conf');
const addresses = ['ann', 'bob@a.b', 'x@relay.example', 'root@mail.example', 'nobody@other.invalid', 'ann@[127.0.0.1]'];
const expansions = [
  '$primary_hostname $qualify_domain $qualify_recipient',
  '${if match_domain{a.b}{+local_domains}{local}{remote}}',
  '${if match_domain{relay.example}{+relay_to_domains}{relay}{none}}',
  '${if match_ip{10.1.2.3}{+relay_from_hosts}{relay}{none}}',
  '${listnamed:local_domains}',
];

const asked: readonly (readonly string[])[] = [
  ['-bP', 'config'],
  ['-bP', 'router_list', 'routers', 'transport_list', 'transports', 'authenticator_list', 'authenticators'],
  ['-bP', '+local_domains', '+relay_to_domains', '+relay_from_hosts', 'qualify_domain', 'acl_smtp_rcpt', 'never_users'],
  ['-bt', ...addresses],
  ['-be', ...expansions],
  ['-bV'],
];

/** What both print alike but for the names of the program and what the builds have. */
const shown = ({ stdout, status }: Outcome, words: readonly string[]): string =>
  words[0] === '-bV'
    ? `status ${status}`
    : `${stdout
        .replace(/^# (?:Exim|Tabella) Configuration.*/gm, '# Configuration')
        .replace(
          /^(?:arc_sign|use_classresources|no_use_classresources|translate_ip_address)\b.*\n/gm,
          '',
        )}status ${status}`;

async function assertAlike(text: string, alike = asked): Promise<void> {
  const files: Files = new Map([
    ['conf', text],
    ['etc/passwd.client', ''],
  ]);
  const jobs = asked.map((words): Job => ({ words: ['-C', '/mnt/conf', ...words] }));
  const { real, ours } = await runBoth(files, jobs);
  for (const [i, words] of asked.entries()) {
    const [theirs, own] = [real[i], ours[i]];
    assert.ok(theirs !== undefined && own !== undefined);
    assert.equal(own.status, theirs.status, `${words.join(' ')}: ${own.stderr}`);
    if (!alike.includes(words)) continue;
    assert.equal(shown(own, words), shown(theirs, words), `${words.join(' ')}: ${own.stderr}${theirs.stderr}`);
  }
}

for (const split of [false, true]) {
  for (const site of sites) {
    test(`Debian's ${split ? 'split ' : ''}configuration for the site type ${site} is read and works as with Exim`, async () => {
      await assertAlike(debianConfiguration(site, split));
    });
  }
}

test('the example configuration that comes with Exim is read and works as with Exim', async () => {
  requireOracle();
  // what it shows depends on .ifdef: the real one has other features, and other macros for them (oracle-macros.test.ts)
  const alike = asked.filter(([word]) => word !== '-bP');
  await assertAlike(readFileSync(exampleFile, 'latin1'), alike);
});
