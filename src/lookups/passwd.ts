/** `passwd`: the machine's users; the answer is a line of /etc/passwd without the name and the password (Exim spec 9.4). */

import { userNamed } from '../safe/users.ts';
import { type Database, defineLookup, notFound } from './lookup.ts';

const database: Database = {
  find(query, options) {
    const user = userNamed(query.value);
    // a number may be taken for a user, too, but is no name
    if (user === undefined || user.name !== query.value || user.gid < 0) return notFound;
    const { name, uid, gid, gecos, home, shell } = user;
    return {
      outcome: 'found',
      value: options.get('ret') === 'key' ? name : ['*', uid, gid, gecos, home, shell].join(':'),
    };
  },
  close: () => undefined,
};

export const passwd = defineLookup({
  name: 'passwd',
  doc: "the machine's users",
  style: 'query',
  options: ['ret'],
  vouches: true,
  open: () => database,
  quote: (text) => text,
});
