/** CAPA (RFC 2449): what this server can do, for this client, now. */

import type { Pop3Command } from '../command.ts';

const always = ['TOP', 'UIDL', 'RESP-CODES', 'AUTH-RESP-CODE', 'PIPELINING', 'EXPIRE NEVER'];

export const capa: Pop3Command = {
  verb: 'CAPA',
  when: 'always',
  argument: 'none',
  async run(session) {
    const { userAndPass, mechanisms, startTls } = await session.policy.offers();
    const names = [
      ...always,
      ...(userAndPass ? ['USER'] : []),
      ...(mechanisms.length > 0 ? [`SASL ${mechanisms.join(' ')}`] : []),
      ...(startTls && session.mailbox === undefined ? ['STLS'] : []),
      'IMPLEMENTATION Tabella',
    ];
    session.ok('capabilities follow');
    session.write(`${names.map((name) => `${name}\r\n`).join('')}.\r\n`);
    return undefined;
  },
};
