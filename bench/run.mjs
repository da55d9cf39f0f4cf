#!/usr/bin/env node
/** `npm run bench`: measures Tabella beside Exim and Postfix (measure.mjs). Needs root on Debian or a like system. */

import { measureWith } from './front-door.mjs';
import { readOptions, rows } from './options.mjs';
import { peers } from './peers.mjs';
import { cellsOf } from './workloads.mjs';

measureWith('measure.mjs', {
  command: 'npm run bench',
  rows,
  read(words) {
    const options = readOptions(words);
    cellsOf(options.workloads, options.concurrency);
    return options;
  },
  known: peers,
});
