#!/usr/bin/env node
/** `npm run bench:scale`: measures decisions about recipients with large tables (measure-scale.mjs). Needs root on Debian or a like system. */

import { measureWith } from './front-door.mjs';
import { readScaleOptions, scaleRows } from './scale-options.mjs';
import { scaleServers } from './scale-servers.mjs';

measureWith('measure-scale.mjs', {
  command: 'npm run bench:scale',
  rows: scaleRows,
  read: readScaleOptions,
  known: scaleServers,
});
