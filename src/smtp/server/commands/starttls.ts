/** STARTTLS (RFC 3207). */

import type { SmtpCommand } from '../command.ts';

export const starttls: SmtpCommand = {
  verb: 'STARTTLS',
  argument: 'none',
  isMail: false,
  notInBatches: true,
  endsGroup: true,
  async run(session) {
    const { policy } = session;
    if (!policy.offersTls()) {
      return session.protocolError('protocol', 'STARTTLS command used when not advertised', '503');
    }
    session.endTransaction('STARTTLS');
    const reply = await policy.startTls();
    if (!reply.code.startsWith('2')) return session.answer(reply);
    session.send(reply);
    return session.secure();
  },
};
