// Builds the program: one bundle for a fast start, and the compiled code of it kept beside it. Runs after `npm ci`.

import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build, transform } from 'esbuild';
import { splitBundle } from './split-bundle.mjs';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const dist = join(root, 'dist');
rmSync(dist, { recursive: true, force: true });
mkdirSync(dist);

const names = { program: join(dist, 'program.cjs'), rest: join(dist, 'program-rest.cjs') };

const entry = 'src/main.ts';
const { outputFiles, metafile } = await build({
  entryPoints: [entry],
  absWorkingDir: root,
  write: false,
  metafile: true,
  bundle: true,
  platform: 'node',
  target: 'node24',
  format: 'cjs',
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
  /= require\("(node:(?:buffer|child_process|crypto|net|dgram|stream|tls|dns\/promises|url|vm|v8|timers\/promises|assert\/strict|readline(?:\/promises)?))"\)/g;
const lazyModule =
  'function lazyModule(name){let loaded;return new Proxy({},{get(_,key){loaded??=require(name);return loaded[key]}})}\n';
const code = lazyModule + outputFiles[0].text.replace(lazy, '= lazyModule("$1")');
const { core, rest } = splitBundle(code, metafile.inputs, [entry, 'src/cli/commands/expand.ts']);
const write = async (file, parameter, text) => {
  const { code } = await transform(text, {
    // ASCII is read and kept as one octet for each character
    charset: 'ascii',
    legalComments: 'none',
    target: 'node24',
    // names stay, so that a stack in the log can be read
    minifyWhitespace: true,
    minifySyntax: true,
  });
  writeFileSync(file, `(function(require,module,exports,__dirname,__filename,${parameter}){${code}})`);
};
await write(names.program, 'loadRest', core);
await write(names.rest, 'core', rest);

/*
 * The compiled code is read from files that all users may read: a cache of the run-time's own belongs to the user who wrote
 * it, and the programs that call `sendmail` are others. Code that was compiled by a run with other flags is not used.
 */
const launcher = `'use strict';
const { closeSync, openSync, readFileSync } = require('node:fs');
const { Script, constants } = require('node:vm');
const open = (name) => {
  try {
    return openSync(name);
  } catch {}
};
// opened now, read when needed: by then other rights may be in force, or another version be installed
const prepare = (name) => {
  const file = __dirname + '/' + name + '.cjs';
  const code = openSync(file);
  const cache = open(file.replace('.cjs', '.cache'));
  const read = (descriptor, encoding) => {
    const octets = readFileSync(descriptor, encoding);
    closeSync(descriptor);
    return octets;
  };
  let script;
  return {
    file,
    get script() {
      return (script ??= new Script(read(code, 'latin1'), {
        filename: file,
        cachedData: cache === undefined ? undefined : read(cache),
        importModuleDynamically: constants.USE_MAIN_CONTEXT_DEFAULT_LOADER,
      }));
    },
    run: (given) => parts[name].script.runInThisContext()(require, module, exports, __dirname, file, given),
  };
};
const parts = { program: prepare('program'), 'program-rest': prepare('program-rest') };
const start = () => parts.program.run((core) => parts['program-rest'].run(core));
start();
`;
writeFileSync(join(dist, 'tabella.cjs'), launcher);

// first runs, one after the other in one process, whose compiled code is kept: an expansion, and a letter as `sendmail` takes it
const room = mkdtempSync(join(tmpdir(), 'tabella-build-'));
const configuration = join(room, 'configure');
const { uid, gid } = userInfo();
const macros = { OWNER: uid, GROUP: gid, ROOM: room };
const definitions = Object.entries(macros).map(([name, value]) => `${name} = ${value}\n`);
writeFileSync(configuration, definitions.join('') + readFileSync(join(root, 'scripts/first-runs.conf'), 'utf8'));
writeFileSync(join(room, 'aliases'), 'someone: :blackhole:\n');
for (const table of ['domains', 'users', 'passwords']) writeFileSync(join(room, table), '');
const firstRuns = [
  ['exim', '-be', '$version_number'],
  ['exim', '-C', configuration, '-odi', '-i', 'someone@build.example'],
];
const recorder = join(dist, 'record.cjs');
writeFileSync(
  recorder,
  `${launcher}const words = process.argv.slice(0, 3);
const runs = ${JSON.stringify(firstRuns.slice(1))};
const end = process.exit;
process.exit = () => {
  const next = runs.shift();
  if (next !== undefined) {
    process.argv = [...words, ...next];
    return start();
  }
  for (const { file, script } of Object.values(parts)) {
    require('node:fs').writeFileSync(file.replace('.cjs', '.cache'), script.createCachedData());
  }
  end();
};
`,
);
const bin = join(root, 'bin');
const flags = / exec "\$node" (.*) "\$program"/.exec(readFileSync(join(bin, 'tabella'), 'utf8'))?.[1].split(' ');
const run = (command, args, input = '') => {
  const { status, stderr } = spawnSync(command, args, { encoding: 'utf8', input });
  if (status !== 0) throw new Error(`the built program does not start: ${stderr}`);
};
const node = join(root, 'node_modules', `node-linux-${process.arch}`, 'bin/node');
run(node, [...flags, recorder, root, ...firstRuns[0]], 'Subject: a first letter\n\nText\n');
rmSync(recorder);
rmSync(room, { recursive: true });
// a run-time that does not accept it would only be slow
const check = `const [code, cachedData] = process.argv.slice(1).map((name) => require('node:fs').readFileSync(name));
if (new (require('node:vm').Script)(code.toString('latin1'), { cachedData }).cachedDataRejected) throw 'rejected';`;
for (const file of Object.values(names)) run(node, [...flags, '-e', check, file, file.replace('.cjs', '.cache')]);
run(join(bin, 'exim'), ['-bV']);
