/** The programs for hints databases, under their names. */

export { dumpdb } from './dumpdb.ts';
export { fixdb } from './fixdb.ts';
export { tidydb } from './tidydb.ts';
