/** A lookup type for tests of what query-style types have in common: it answers what the query says. */

import { type Database, defineLookup, LookupProblem, notFound } from './lookup.ts';

/** How often it was opened, asked and closed. */
export const counts = { opened: 0, asked: 0, closed: 0 };

const database: Database = {
  find(query) {
    counts.asked++;
    const { value } = query;
    if (value === 'fail') return notFound;
    if (value === 'defer') return { outcome: 'defer', message: 'testdb lookup forced DEFER' };
    if (value === 'problem') throw new LookupProblem('testdb cannot be asked');
    if (value === 'later') return Promise.resolve({ outcome: 'found', value: 'came later' });
    if (value === 'later problem') return Promise.reject(new LookupProblem('testdb cannot be asked any more'));
    return { outcome: 'found', value };
  },
  close() {
    counts.closed++;
  },
};

export const testdb = defineLookup({
  name: 'testdb',
  doc: 'nothing; for tests',
  style: 'query',
  options: [],
  vouches: false,
  open() {
    counts.opened++;
    return database;
  },
  quote: (text) => `<${text}>`,
});
