/** The tables of options against what the real Exim 4.96 shows with `-bP` when nothing is set. */

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { authenticatorCommonOptions } from '../authenticators/common-options.ts';
import { cramMd5Options } from '../authenticators/cram-md5-options.ts';
import { dovecotOptions } from '../authenticators/dovecot-options.ts';
import { externalOptions } from '../authenticators/external-options.ts';
import { plaintextOptions } from '../authenticators/plaintext-options.ts';
import { spaOptions } from '../authenticators/spa-options.ts';
import { tlsOptions } from '../authenticators/tls-options.ts';
import type { Template } from '../expand/expand.ts';
import { type PrintStyle, tableLines } from '../options/print.ts';
import { type Instance, type OptionRow, type OptionTable, standardValues } from '../options/table.ts';
import { routerCommonOptions } from '../routers/common-options.ts';
import { dnslookupOptions } from '../routers/dnslookup-options.ts';
import { iplookupOptions } from '../routers/iplookup-options.ts';
import { manualrouteOptions } from '../routers/manualroute-options.ts';
import { queryprogramOptions } from '../routers/queryprogram-options.ts';
import { redirectOptions } from '../routers/redirect-options.ts';
import { appendfileOptions } from '../transports/appendfile-options.ts';
import { autoreplyOptions } from '../transports/autoreply-options.ts';
import { transportCommonOptions } from '../transports/common-options.ts';
import { lmtpOptions } from '../transports/lmtp-options.ts';
import { pipeOptions } from '../transports/pipe-options.ts';
import { smtpOptions } from '../transports/smtp-options.ts';
import { housekeeping } from './main-options/housekeeping.ts';
import { pop3 } from './main-options/pop3.ts';
import { mainOptions } from './main-options.ts';

/** The lines of a fixture by section; an empty line ends a section. */
function sections(file: string): ReadonlyMap<string, readonly string[]> {
  const text = readFileSync(new URL(`../../test/fixtures/${file}`, import.meta.url), 'latin1');
  return new Map(
    text
      .replace(/\n$/, '')
      .split('\n\n')
      .map((section) => {
        const [head = '', ...lines] = section.split('\n');
        return [head, lines];
      }),
  );
}

/** Options that the build of the fixtures lacks. */
const absent: ReadonlySet<string> = new Set([
  'allow_insecure_tainted_data',
  'arc_sign',
  'disable_fsync',
  'dmarc_forensic_sender',
  'dmarc_history_file',
  'dmarc_tld_file',
  'ibase_servers',
  'oracle_servers',
  'tcp_wrappers_daemon_name',
  'translate_ip_address',
  'use_classresources',
]);

/** Those of them that work here. */
const added: ReadonlySet<string> = new Set([
  'arc_sign',
  'dmarc_forensic_sender',
  'dmarc_history_file',
  'dmarc_tld_file',
  'translate_ip_address',
]);

/** The program's own name stands in two standard values. */
function renamed(line: string): string {
  return line.replace(/Tabella \$tabella_version/, 'Exim $version_number');
}

const style: PrintStyle = { terse: false, eightBit: false };
const nothing: ReadonlySet<string> = new Set();

/** A part of a table. */
function chosen(table: OptionTable, choose: (name: string) => boolean): OptionTable {
  return Object.fromEntries(Object.entries(table).filter(([name]) => choose(name)));
}

/** The lines of tables of which nothing is set, without what the build of the fixtures lacks. */
function shown(tables: readonly OptionTable[], driver: Instance['driver'] = {}): string[] {
  const values = Object.assign({}, ...tables.map(standardValues));
  const instance: Instance = { name: '', driver, values, set: nothing, primaryHostname: '' };
  return tables.flatMap((table) =>
    tableLines(
      chosen(table, (name) => !absent.has(name)),
      instance,
      nothing,
      style,
    ).map(renamed),
  );
}

const routers: Readonly<Record<string, OptionTable>> = {
  accept: routerCommonOptions,
  dnslookup: { ...routerCommonOptions, ...dnslookupOptions },
  ipliteral: routerCommonOptions,
  iplookup: { ...routerCommonOptions, ...iplookupOptions },
  manualroute: { ...routerCommonOptions, ...manualrouteOptions },
  queryprogram: { ...routerCommonOptions, ...queryprogramOptions },
  redirect: { ...routerCommonOptions, ...redirectOptions },
};

const transports: Readonly<Record<string, OptionTable>> = {
  appendfile: { ...transportCommonOptions, ...appendfileOptions },
  autoreply: { ...transportCommonOptions, ...autoreplyOptions },
  lmtp: { ...transportCommonOptions, ...lmtpOptions },
  pipe: { ...transportCommonOptions, ...pipeOptions },
  smtp: { ...transportCommonOptions, ...smtpOptions },
};

const authenticators: Readonly<Record<string, OptionTable>> = {
  cram_md5: { ...authenticatorCommonOptions, ...cramMd5Options },
  plaintext: { ...authenticatorCommonOptions, ...plaintextOptions },
  external: { ...authenticatorCommonOptions, ...externalOptions },
  dovecot: { ...authenticatorCommonOptions, ...dovecotOptions },
  spa: { ...authenticatorCommonOptions, ...spaOptions },
  tls: { ...authenticatorCommonOptions, ...tlsOptions },
};

describe('the tables of options', () => {
  it('show unset main options as Exim does', () => {
    const main: OptionTable = mainOptions;
    // the fixture comes from a build without redis
    const ofExim = chosen(main, (name) => !(name in pop3) && !(name in housekeeping) && name !== 'redis_servers');
    const table = Object.fromEntries(Object.entries(ofExim).sort(([a], [b]) => (a < b ? -1 : 1)));
    const [[head = '', lines = []] = []] = sections('bp-main.txt');
    assert.deepEqual(shown([table]), [head, ...lines]);
  });

  const families = [
    ['router', 'bp-routers.txt', routers, routerCommonOptions],
    ['transport', 'bp-transports.txt', transports, transportCommonOptions],
    ['authenticator', 'bp-authenticators.txt', authenticators, authenticatorCommonOptions],
  ] as const;
  for (const [family, file, drivers, common] of families) {
    const fixture = sections(file);
    it(`have all the ${family}s of the fixture`, () => {
      assert.deepEqual(
        Object.keys(drivers).map((name) => `${name} ${family}:`),
        [...fixture.keys()],
      );
    });
    for (const [name, table] of Object.entries(drivers)) {
      it(`show unset options of the ${name} ${family} as Exim does`, () => {
        const own = chosen(table, (option) => !(option in common));
        const facts = { isLocal: name !== 'smtp', logAsLocal: name === 'accept' };
        assert.deepEqual(shown([common, own], facts), fixture.get(`${name} ${family}:`));
      });
    }
  }

  const all: ReadonlyMap<string, OptionTable> = new Map([
    ['main', mainOptions],
    ...Object.entries(routers),
    ...Object.entries(transports),
    ...Object.entries(authenticators),
  ]);

  it('say in one sentence what each option does', () => {
    for (const [where, table] of all) {
      for (const [name, row] of Object.entries(table)) {
        assert.match(row.doc, /^[A-Z/].{5,130}\.$/, `${where}: ${name}`);
      }
    }
  });

  it('know old names of options', () => {
    assert.deepEqual(mainOptions.daemon_smtp_ports.synonyms, ['daemon_smtp_port']);
    assert.deepEqual(mainOptions.bounce_return_size_limit.synonyms, ['return_size_limit']);
  });

  it('lack nothing that another build of Exim has', () => {
    const names = new Set([...all.values()].flatMap((table) => Object.keys(table)));
    assert.deepEqual(
      [...absent].filter((name) => !names.has(name)),
      [],
    );
    for (const table of all.values()) {
      for (const [name, row] of Object.entries(table)) {
        if (absent.has(name)) assert.equal(row.unused === true, !added.has(name), name);
      }
    }
  });
});

describe('settings that may be repeated', () => {
  type Row = OptionRow<Template | undefined>;

  /** What the settings make together, or what is wrong with one of them. */
  const joined = (row: Row, ...settings: readonly string[]): string => {
    let value: Template | undefined;
    for (const [index, text] of settings.entries()) {
      const reading = row.read(text, 'the_option');
      if ('error' in reading) return reading.error;
      value = index === 0 ? reading.value : row.again?.(value, reading.value);
    }
    return value?.source ?? '';
  };
  const { condition, headers_add, headers_remove, set } = routerCommonOptions;

  it('are conditions that must all hold', () => {
    assert.equal(joined(condition, 'a', 'b'), '${if and{{bool_lax{a}}{bool_lax{b}}}}');
    assert.equal(
      joined(condition, 'a', 'b', '${if c}'),
      '${if and{{bool_lax{${if and{{bool_lax{a}}{bool_lax{b}}}}}}{bool_lax{${if c}}}}}',
    );
    assert.equal(joined(condition, '', 'b'), '${if and{{bool_lax{}}{bool_lax{b}}}}');
    assert.equal(joined(condition, 'a', ''), '${if and{{bool_lax{a}}{bool_lax{}}}}');
  });

  it('do not lose a condition that is set but empty, which never holds', () => {
    const reading = condition.read('', 'condition');
    assert.ok('value' in reading);
    assert.equal(reading.value?.source, '');
  });

  it('are lists whose items come out with one separator', () => {
    assert.equal(joined(headers_remove, 'a', 'b:c'), 'a:b:c');
    assert.equal(joined(headers_remove, '<; a : b ; c'), 'a :: b:c');
    assert.equal(joined(headers_remove, '<; a;;b;c'), 'a;b:c');
    assert.equal(joined(headers_remove, 'a', '<+ ::1 + c'), 'a:::::1:c');
    assert.equal(joined(headers_remove, 'a', ''), 'a');
    assert.equal(joined(set, 'r_a=b', '<: r_c=d;e : r_f = g'), 'r_a=b;r_c=d;;e;r_f = g');
    assert.equal(joined(set, 'r_a=b;;c'), 'r_a=b;;c');
    assert.equal(joined(set, '; r_a = b ;'), 'r_a = b');
  });

  it('are header lines, one item to a line', () => {
    assert.equal(joined(headers_add, 'X: a : b'), 'X: a : b');
    assert.equal(joined(headers_add, '"X: a   "', '"  Y: b  "'), 'X: a\nY: b');
    assert.equal(joined(headers_add, 'X: a', '<; Y:b ; Z: c'), 'X: a\nY:b\nZ: c');
    assert.equal(joined(headers_add, '', 'X: y'), 'X: y');
    assert.equal(joined(transportCommonOptions.headers_add, 'X: a', 'Y: b'), 'X: a\nY: b');
  });

  it('can be wrong like any string', () => {
    assert.equal(joined(set, '"a" b'), 'extra characters follow string value for the_option');
    assert.equal(joined(headers_add, '"a'), 'missing quote at end of string value for the_option');
  });
});

describe('a time that may be expanded', () => {
  const row = mainOptions.smtp_receive_timeout;
  const shownAs = (text: string): string => {
    const reading = row.read(text, 'smtp_receive_timeout');
    return 'error' in reading ? reading.error : row.print('smtp_receive_timeout', reading.value);
  };

  it('is a time, or a text that begins with a dollar', () => {
    assert.equal(shownAs('90m'), 'smtp_receive_timeout = 1h30m');
    assert.equal(shownAs('$x'), 'smtp_receive_timeout = $x');
    assert.equal(shownAs('${if eq{a}{b}}'), 'smtp_receive_timeout = ${if eq{a}{b}}');
  });

  it('is nothing else', () => {
    for (const text of ['5m$x', 'x$y', '"$x"', '300', '']) {
      assert.equal(shownAs(text), 'invalid time value for smtp_receive_timeout', text);
    }
  });
});
