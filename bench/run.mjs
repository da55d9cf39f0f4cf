#!/usr/bin/env node
/** `npm run bench`: measures Tabella beside Exim and Postfix (measure.mjs). Needs root on Debian or a like system. */

import { fail, measureWith } from './front-door.mjs';
import { describeOptions, readOptions } from './options.mjs';
import { peers } from './peers.mjs';
import { cellsOf } from './workloads.mjs';

function optionsOrFail() {
  try {
    const options = readOptions(process.argv.slice(2));
    cellsOf(options.workloads, options.concurrency);
    return options;
  } catch (error) {
    return fail(`${error.message}; --help lists the options`);
  }
}

const options = optionsOrFail();
if (options.help) {
  process.stdout.write(`npm run bench -- [options]\n${describeOptions()}  servers: ${[...peers.keys()].join(' ')}\n`);
  process.exit(0);
}
process.exitCode = measureWith('measure.mjs', options, peers);
