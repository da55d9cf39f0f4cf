/** `-bP` against what the real Exim 4.96 printed for the same configuration, for an administrator and for another user. */

import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { readInstallation } from '../../config/installation.ts';
import { parseConfig } from '../../config/load.ts';
import { productVersion } from '../../expand/version.ts';
import { literal, reviewed } from '../../safe/taint.ts';
import { printOptions } from './print-options.ts';

const fixture = (name: string): string =>
  readFileSync(new URL(`../../../test/fixtures/${name}`, import.meta.url), 'latin1');

const { installation } = readInstallation(literal('/nonexistent'));
const file = literal('/etc/exim.conf');

interface Caller {
  readonly isAdmin?: boolean;
  readonly terse?: boolean;
}

async function printed(text: string, names: readonly string[], { isAdmin = true, terse = false }: Caller = {}) {
  let [out, complaints] = ['', ''];
  const { config, problems } = await parseConfig(file, text);
  assert.deepEqual(problems.errors, []);
  const status = await printOptions(
    names,
    { config, installation, isAdmin, terse, environment: { PATH: '/usr/bin:/bin', TZ: 'UTC', HOME: '/root' } },
    (part) => {
      out += part;
    },
    (part) => {
      complaints += part;
    },
  );
  return { out, complaints, status };
}

/** Options that the build which was asked lacks. */
const absent = /^(?:translate_ip_address|arc_sign) = .*\n|^no_use_classresources\n/gm;

/** The program's own name stands in the first line of a configuration and in one standard value. */
const renamed = (text: string): string =>
  text
    .replace('# Exim Configuration (4.96)', `# Tabella Configuration (${productVersion})`)
    .replaceAll('delivery software (Exim)', 'delivery software (Tabella)');

describe('-bP answers as Exim 4.96 does', () => {
  const conf = fixture('print-options.conf');
  for (const part of fixture('print-options.txt').split(/^\$ /m).slice(1)) {
    const [, question = '', answer = '', status = ''] = /^([^\n]*)\n(.*?)= (\d+)\n$/s.exec(part) ?? [];
    const [who, ...words] = question.split(' ');
    const terse = words[0] === '-n';
    it(question.slice(0, 80), async () => {
      const names = words.slice(terse ? 2 : 1);
      const got = await printed(conf, names, { isAdmin: who === 'admin', terse });
      assert.equal(got.out.replaceAll(absent, ''), renamed(answer));
      assert.equal(got.status, Number(status));
    });
  }
});

describe('-bP', () => {
  it('prints all main options, sorted, when it is given no names', async () => {
    const { out, status } = await printed('', []);
    const names = out
      .trimEnd()
      .split('\n')
      .map((line) => line.replace(/ =.*/, '').replace(/^no_/, ''));
    assert.equal(status, 0);
    assert.ok(names.length > 270);
    assert.deepEqual(names, names.toSorted());
    assert.equal(out, (await printed('', ['all'])).out);
  });

  it('tells users who are no administrators nothing of macros', async () => {
    for (const names of [['macros'], ['macro_list'], ['macro', 'SECRET']]) {
      const { out, complaints, status } = await printed('SECRET = x', names, { isAdmin: false });
      assert.deepEqual({ out, complaints, status }, { out: '', complaints: 'exim: permission denied\n', status: 1 });
    }
  });

  it('lists built-in macros before those of the file', async () => {
    const { out } = await printed('ZMACRO = z', ['macros']);
    assert.match(out, /^_\w+=y\n.*\nZMACRO=z\n$/s);
  });

  it('works with an empty configuration', async () => {
    assert.deepEqual(await printed('', ['config']), {
      out: `# Tabella Configuration (${productVersion})\n# 1 "/etc/exim.conf"\n`,
      complaints: '',
      status: 0,
    });
    assert.equal((await printed('', ['routers', 'transports', 'router_list'])).out, '');
  });

  it('takes the names of inherited properties for unknown', async () => {
    for (const name of ['constructor', '__proto__', 'toString', '']) {
      const { out, status } = await printed('', [name]);
      assert.equal(out, `${name} is not a known option\n`);
      assert.equal(status, 1);
    }
  });
});

describe('-bP config', () => {
  it('marks where an included file begins and where the outer one goes on', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'tabella-'));
    try {
      const path = (name: string) => reviewed(join(directory, name), 'made by this test');
      writeFileSync(
        path('two'),
        'hold_domains = a\n.include three\n.include_if_exists /nonexistent/x\nhost_lookup = b\n',
      );
      writeFileSync(path('three'), 'queue_domains = c\n');
      writeFileSync(path('empty'), '');
      const text = `timezone = a\n.include ${path('two')}\n\n.include ${path('empty')}\nqualify_domain = b\n`;
      const { out } = await printed(text, ['config']);
      assert.deepEqual(out.trimEnd().split('\n').slice(1), [
        '# 1 "/etc/exim.conf"',
        'timezone = a',
        '# 2 "/etc/exim.conf"',
        `# 1 "${path('two')}"`,
        'hold_domains = a',
        `# 2 "${path('two')}"`,
        `# 1 "${path('three')}"`,
        'queue_domains = c',
        `# 2 "${path('two')}"`,
        'host_lookup = b',
        '# 2 "/etc/exim.conf"',
        '# 4 "/etc/exim.conf"',
        '# 4 "/etc/exim.conf"',
        'qualify_domain = b',
      ]);
    } finally {
      rmSync(directory, { recursive: true });
    }
  });
});
