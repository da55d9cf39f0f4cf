#!/usr/bin/env node
/** `npm run bench:read`: measures how mail is fetched, beside Dovecot (measure-reading.mjs). Needs root on Debian or a like system. */

import { fail, measureWith } from './front-door.mjs';
import { describeOptions } from './options.mjs';
import { readingRows, readReadingOptions } from './reading-options.mjs';
import { readingPeers } from './reading-peers.mjs';

function optionsOrFail() {
  try {
    return readReadingOptions(process.argv.slice(2));
  } catch (error) {
    return fail(`${error.message}; --help lists the options`);
  }
}

const options = optionsOrFail();
if (options.help) {
  const servers = [...readingPeers.keys()].join(' ');
  process.stdout.write(`npm run bench:read -- [options]\n${describeOptions(readingRows)}  servers: ${servers}\n`);
  process.exit(0);
}
process.exitCode = measureWith('measure-reading.mjs', options, readingPeers);
