#!/usr/bin/env node
/** `npm run bench:scale`: measures decisions about recipients with large tables (measure-scale.mjs). Needs root on Debian or a like system. */

import { fail, measureWith } from './front-door.mjs';
import { describeOptions } from './options.mjs';
import { readScaleOptions, scaleRows } from './scale-options.mjs';
import { scaleServers } from './scale-servers.mjs';

function optionsOrFail() {
  try {
    return readScaleOptions(process.argv.slice(2));
  } catch (error) {
    return fail(`${error.message}; --help lists the options`);
  }
}

const options = optionsOrFail();
if (options.help) {
  const servers = [...scaleServers.keys()].join(' ');
  process.stdout.write(`npm run bench:scale -- [options]\n${describeOptions(scaleRows)}  servers: ${servers}\n`);
  process.exit(0);
}
process.exitCode = measureWith('measure-scale.mjs', options, scaleServers);
