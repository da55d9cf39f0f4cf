#!/usr/bin/env node
/** `npm run bench:read`: measures how mail is fetched, beside Dovecot (measure-reading.mjs). Needs root on Debian or a like system. */

import { measureWith } from './front-door.mjs';
import { readingRows, readReadingOptions } from './reading-options.mjs';
import { readingPeers } from './reading-peers.mjs';

measureWith('measure-reading.mjs', {
  command: 'npm run bench:read',
  rows: readingRows,
  read: readReadingOptions,
  known: readingPeers,
});
