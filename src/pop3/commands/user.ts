/** USER and PASS (RFC 1939 §7): a name and a password in two commands. */

import type { Pop3Command } from '../command.ts';

export const user: Pop3Command = {
  verb: 'USER',
  when: 'authorization',
  argument: 'required',
  async run(session, name) {
    if (!(await session.policy.offers()).userAndPass) {
      return session.mistake('passwords are not taken over a connection that others can read');
    }
    session.user = name;
    // whether there is such a user is not told
    return session.ok('password, please');
  },
};

export const pass: Pop3Command = {
  verb: 'PASS',
  when: 'authorization',
  argument: 'optional',
  async run(session, password) {
    const { user: name } = session;
    if (name === undefined) return session.mistake('USER first');
    return session.loggedIn(await session.policy.login(name, password));
  },
};
