// Builds the program: one bundle for a fast start, and the compiled code of it kept beside it. Runs after `npm ci`.

import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const dist = join(root, 'dist');
rmSync(dist, { recursive: true, force: true });
mkdirSync(dist);

await build({
  entryPoints: [join(root, 'src/main.ts')],
  outfile: join(dist, 'program.cjs'),
  bundle: true,
  platform: 'node',
  target: 'node24',
  format: 'cjs',
  // ASCII is read and kept as one octet for each character
  charset: 'ascii',
  legalComments: 'none',
  // names stay, so that a stack in the log can be read
  minifyWhitespace: true,
  minifySyntax: true,
  external: ['koffi', 'pg', 'mysql2', 'ioredis', 'ldapts', 'mailauth'],
  define: {
    'import.meta.dirname': '__dirname',
    TABELLA_BUILD_DATE: JSON.stringify(
      new Date().toUTCString().replace(/^\w+, (\d+) (\w+) (\d+) (.*) GMT$/, '$1-$2-$3 $4'),
    ),
  },
});

// What only some commands need of the run-time is loaded when it is first used: a command like -be ends sooner than they
// would be loaded.
const lazy =
  /=require\("(node:(?:buffer|child_process|crypto|net|dgram|stream|tls|dns\/promises|url|vm|v8|timers\/promises|assert\/strict|readline(?:\/promises)?))"\)/g;
const program = join(dist, 'program.cjs');
const code = readFileSync(program, 'utf8').replace(lazy, '=lazyModule("$1")');
const lazyModule = `function lazyModule(name){let loaded;return new Proxy({},{get(_,key){loaded??=require(name);return loaded[key]}})}`;
writeFileSync(
  program,
  code.startsWith('"use strict";')
    ? code.replace('"use strict";', `"use strict";${lazyModule}`)
    : `${lazyModule}${code}`,
);

const launcher = `'use strict';
require('node:module').enableCompileCache(require('node:path').join(__dirname, 'cache'));
require('./program.cjs');
`;
writeFileSync(join(dist, 'tabella.cjs'), launcher);

// the first runs write the compiled code
for (const words of [['-be', '$version_number'], ['-bV']]) {
  const { status, stderr } = spawnSync(join(root, 'bin/exim'), words, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`the built program does not start: ${stderr}`);
}
