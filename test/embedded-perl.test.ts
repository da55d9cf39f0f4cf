/** Embedded Perl with the real perl of the machine (Exim spec 12). */

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));

const startup = [
  "sub x { return join('|', @_) } sub u { return undef } sub d { die qq{oops\\n} } sub e { Exim::expand_string($_[0]) }",
  'sub v { my @a = (1, 2, 3); return @a } sub p { print "lost"; return "p" } sub k { kill 9, $$ } our $c = 0;',
  "sub cnt { return ++$c } sub len { return length($_[0]) } sub w { warn 'warned'; return 'w' }",
].join(' ');

/** What `-be` prints for each line with the given settings. */
function expanded(settings: string, lines: readonly string[]): string[] {
  const directory = mkdtempSync(join(tmpdir(), 'tabella-perl-'));
  try {
    const config = join(directory, 'configure');
    writeFileSync(config, `primary_hostname = mail.example\nspool_directory = ${directory}\n${settings}\n`);
    const { stdout } = spawnSync(join(root, 'bin/exim'), ['-C', config, '-be'], {
      input: Buffer.from(`${lines.join('\n')}\n`, 'latin1'),
      env: { PATH: '/usr/bin:/bin', TZ: 'UTC' },
      timeout: 60_000,
    });
    return stdout.toString('latin1').replace(/^> /, '').split('\n> ').slice(0, lines.length);
  } finally {
    rmSync(directory, { recursive: true, force: true, maxRetries: 20 });
  }
}

/** Where there is no perl, the other test tells that this is said clearly. */
const cases: readonly (readonly [string, string])[] = existsSync('/usr/bin/perl')
  ? [
      ['${perl{x}{a}{}{b}}', 'a||b'],
      ['${perl{u}}', 'Failed: Perl subroutine "u" returned undef to force failure'],
      ['${perl{d}}', 'Failed: oops\n'],
      ['${perl{nosuch}}', 'Failed: Undefined subroutine &main::nosuch called.\n'],
      ['${perl{e}{\\$primary_hostname}}', 'mail.example'],
      ['[${perl{e}{\\$\\{perl\\{x\\}\\{inner\\}\\}}}]', '[inner]'],
      [
        '${perl{e}{\\$\\{if eq\\{a\\}\\{b\\}\\{\\}fail\\}}}',
        'Failed: Perl subroutine "e" returned undef to force failure',
      ],
      ['${perl{v}}', '3'],
      ['${perl{p}}', 'p'],
      ['${perl{w}}', 'w'],
      ['${perl{len}{\\xe4}}', '1'],
      ['${perl{cnt}}${perl{cnt}}', '12'],
      ['${perl{k}}', 'Failed: the Perl interpreter died'],
      ['${perl{cnt}}', '1'],
    ]
  : [];

test('subroutines get their arguments, expand strings, die, and are there again after the interpreter died', () => {
  const found = expanded(
    `perl_startup = ${startup}`,
    cases.map(([line]) => line),
  );
  assert.deepEqual(
    found.map((answer, i) => [cases[i]?.[0], answer]),
    cases,
  );
});

test('without perl_startup there is no Perl', () => {
  const [answer] = expanded('', ['${perl{x}}']);
  assert.equal(answer, 'Failed: A setting of perl_startup is needed when using the Perl interpreter');
});
