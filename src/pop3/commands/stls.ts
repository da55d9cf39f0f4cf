/** STLS (RFC 2595 §4): from here on the connection is protected; what was said before does not count. */

import type { Pop3Command } from '../command.ts';

export const stls: Pop3Command = {
  verb: 'STLS',
  when: 'authorization',
  argument: 'none',
  async run(session) {
    if (!(await session.policy.offers()).startTls) return session.mistake('TLS is not offered');
    // what came unprotected must not be taken for commands that came under protection
    if (session.hasInput) {
      session.policy.dropped('input behind STLS was sent too soon');
      session.mistake('input behind STLS was sent too soon');
      return 'closed';
    }
    const settings = await session.policy.tlsSettings();
    if (settings === undefined) return session.refuse({ code: 'SYS/TEMP', text: 'TLS is not available now' });
    session.user = undefined;
    session.ok('begin TLS');
    return (await session.secure(settings)) ? undefined : 'lost';
  },
};
