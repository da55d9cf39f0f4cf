/** The import law and the other laws of the house (ARCHITECTURE.md), proved on the sources. */

import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const read = (path: string): string => readFileSync(join(root, path), 'utf8');

const listed = /<!-- floors: begin -->([\s\S]*)<!-- floors: end -->/.exec(read('ARCHITECTURE.md'))?.[1] ?? '';
const floors = [...listed.matchAll(/^- `([a-z0-9]+)`/gm)].map(([, name = '']) => name);
const sources = globSync('src/**/*.ts', { cwd: root }).sort();
const isTest = (file: string): boolean =>
  /\.test\.ts$|\/test-[^/]*\.ts$/.test(file) && !file.endsWith('/test-address.ts');
const program = sources.filter((file) => !isTest(file));

function importsOf(file: string, which: 'all' | 'values' = 'all'): string[] {
  const text = which === 'all' ? read(file) : read(file).replace(/^import type [^;]*;/gm, '');
  return [...text.matchAll(/^\s*(?:import|export)\b[^;]*?from '([^']+)'/gm)].map(([, name = '']) => name);
}

const floorOf = (file: string): string => file.split('/')[1] ?? '';

test('every folder below src is a floor of ARCHITECTURE.md, and every floor is a folder', () => {
  const folders = [...new Set(sources.map(floorOf))].filter((name) => !name.endsWith('.ts')).sort();
  assert.deepEqual(folders, [...floors].sort());
});

test('imports run downward only', () => {
  const breaches: string[] = [];
  for (const file of program) {
    const own = floors.indexOf(floorOf(file));
    if (file === 'src/main.ts') continue;
    for (const name of importsOf(file)) {
      if (!name.startsWith('.')) continue;
      const target = normalize(join(dirname(file), name));
      if (!target.startsWith('src/')) continue;
      if (floors.indexOf(floorOf(target)) > own) breaches.push(`${file} reaches up to ${target}`);
    }
  }
  assert.deepEqual(breaches, []);
});

const families = ['lookups', 'routers', 'transports', 'authenticators'];

test('a driver never imports another driver of its family', async () => {
  const lists = ['src/config/drivers.ts', ...families.map((family) => `src/${family}/drivers.ts`)];
  const files = new Set(
    lists
      .filter((list) => sources.includes(list))
      .flatMap((list) => importsOf(list, 'values').map((name) => normalize(join(dirname(list), name))))
      .filter((file) => families.includes(floorOf(file)) && !file.endsWith('/drivers.ts')),
  );
  assert.ok(files.size > 30);
  const breaches = [...files].flatMap((file) =>
    importsOf(file)
      .map((name) => normalize(join(dirname(file), name)))
      .filter((target) => files.has(target))
      .map((target) => `${file} imports ${target}`),
  );
  assert.deepEqual(breaches, []);
});

test('no module exports a binding that changes: one part of the program hands the other what it has', () => {
  assert.deepEqual(
    program.filter((file) => /^export (?:let|var)\b/m.test(read(file))),
    [],
  );
});

/** Modules of the run-time that only some files may import. */
const doors: readonly { readonly modules: RegExp; readonly open: RegExp }[] = [
  { modules: /^node:(?:fs|fs\/promises|child_process)$/, open: /^src\/safe\// },
  {
    modules: /^node:(?:net|tls|dns|dns\/promises|dgram)$/,
    open: /^src\/(?:net\/|safe\/spawn\.ts|cli\/commands\/smtp\.ts|daemon\/house\.ts)/,
  },
  { modules: /^koffi$/, open: /^src\/safe\/koffi\.ts$/ },
];

test('files, programs and sockets have one door each', () => {
  const breaches = program.flatMap((file) =>
    importsOf(file, 'values').flatMap((name) =>
      doors.filter(({ modules, open }) => modules.test(name) && !open.test(file)).map(() => `${file} imports ${name}`),
    ),
  );
  assert.deepEqual(breaches, []);
});

/** Words that only some files may hold. */
const words: readonly { readonly what: string; readonly pattern: RegExp; readonly allowed: RegExp }[] = [
  {
    what: 'reads the clock',
    pattern: /\bDate\.now\(|new Date\(\)|performance\.now\(/,
    allowed: /^src\/lib\/clock\.ts$/,
  },
  {
    what: 'reads the environment or the command line',
    pattern: /\bprocess\.(?:env|argv|exit\b)/,
    allowed: /^src\/(?:cli|daemon)\/|^src\/main\.ts$|^src\/safe\/spawn\.ts$/,
  },
  { what: 'asserts that a text is clean', pattern: /\bas Clean\b/, allowed: /^src\/safe\// },
  {
    what: 'uses a string method that spoils byte strings',
    pattern: /\.(?:trim|trimStart|trimEnd|toLowerCase|toUpperCase)\(\)/,
    allowed: /^src\/lib\/octets\.ts$/,
  },
  {
    what: 'makes a JavaScript regular expression of a text',
    pattern: /new RegExp\(/,
    allowed: /^$/,
  },
  { what: 'leaves something for later', pattern: /\b(?:TODO|FIXME|XXX)\b/, allowed: /^src\/spool\/format\.ts$/ },
];

for (const { what, pattern, allowed } of words) {
  test(`no file ${what} where it may not`, () => {
    const found = program.filter((file) => !allowed.test(file) && pattern.test(read(file)));
    assert.deepEqual(found, []);
  });
}

test('no source file is longer than 400 lines, tables excepted', () => {
  const tables = /\/(?:variables|options|.*-options)\.ts$/;
  const long = program.filter((file) => !tables.test(file) && read(file).split('\n').length > 400);
  assert.deepEqual(long, []);
});

test('nothing in the project refers to places of one machine', () => {
  const files = globSync('{src,docs,scripts,configs,bench}/**/*.{ts,mjs,md,sh,conf}', { cwd: root });
  const found = files.filter((file) => /\/work\/(?:main|shared)|\.\.\/shared/.test(read(file)));
  assert.deepEqual(found, []);
});
