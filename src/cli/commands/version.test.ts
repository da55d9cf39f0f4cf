/** The lines of `-bV`, of which other programs search for some. */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { installationRows, readInstallation } from '../../config/installation.ts';
import { compatibilityLevel, productVersion } from '../../expand/version.ts';
import { literal } from '../../safe/taint.ts';
import { versionLines } from './version.ts';

const { installation } = readInstallation(literal('/nonexistent'));
const file = literal('/etc/hosts');

describe('-bV', () => {
  const lines = versionLines(installation, file);

  it('begins with our own name and version, and names the Exim it is compatible with', () => {
    assert.match(lines[0] ?? '', new RegExp(`^Tabella version ${productVersion} #\\d+ built .+$`));
    assert.ok(lines.includes(`Compatible with Exim version ${compatibilityLevel}`));
    assert.ok(!lines.some((line) => line.startsWith('Exim version')));
  });

  it('lists what is supported in the order and form of Exim', () => {
    const titles = lines.filter((line) => /^[A-Z][^=/]*:( [^ ]|$)/.test(line)).map((line) => line.replace(/:.*/, ''));
    assert.deepEqual(titles, [
      'Support for',
      'Lookups (built-in)',
      'Authenticators',
      'Routers',
      'Transports',
      'Malware',
      'Fixed never_users',
      'Configure owner',
      'Size of off_t',
    ]);
    assert.ok(lines.includes('Fixed never_users: 0'));
    assert.ok(lines.includes('Configure owner: 0:0'));
    assert.ok(lines.includes('Size of off_t: 8'));
  });

  it('names drivers that work and no others', () => {
    const routers = lines.find((line) => line.startsWith('Routers: ')) ?? '';
    assert.match(routers, / accept dnslookup ipliteral .*manualroute .*redirect$/);
    const transports = lines.find((line) => line.startsWith('Transports: ')) ?? '';
    assert.match(transports, / appendfile\/maildir\/mailstore\/mbx .*pipe smtp$/);
    const authenticators = lines.find((line) => line.startsWith('Authenticators: ')) ?? '';
    assert.match(authenticators, / cram_md5 .*heimdal_gssapi plaintext spa tls$/);
    const support = lines.find((line) => line.startsWith('Support for: ')) ?? '';
    assert.match(support, / Content_Scanning DANE DKIM .*PRDR PROXY SOCKS SPF /);
    assert.match(routers, / iplookup /);
    assert.match(transports, / autoreply /);
    assert.ok(lines.includes('Malware: f-protd f-prot6d drweb fsecure sophie clamd avast sock cmdline'));
  });

  it('shows every default of the installation with its value', () => {
    for (const [name, { field }] of installationRows) {
      const value = installation[field];
      assert.ok(lines.includes(value === '' ? `  ${name} =` : `  ${name} = ${value}`), name);
    }
  });

  it('ends with the configuration file, or with where it was searched for', () => {
    assert.equal(lines.at(-1), 'Configuration file is /etc/hosts');
    const missing = { ...installation, configureFile: '/nonexistent/a:/nonexistent/b' };
    assert.equal(
      versionLines(missing, literal('/nonexistent/b')).at(-1),
      'Configuration file is missing: there is none of /nonexistent/a:/nonexistent/b',
    );
  });
});
