/** AUTH (RFC 4954 §4). */

import type { SmtpCommand } from '../command.ts';

export const auth: SmtpCommand = {
  verb: 'AUTH',
  argument: 'optional',
  isMail: false,
  notInBatches: true,
  endsGroup: true,
  async run(session, argument) {
    const [, mechanism = '', initial] = /^([^ \t]*)(?:[ \t]+(.*))?$/s.exec(argument) ?? [];
    const problem =
      session.policy.authProblem() ?? (session.hasSender ? 'not permitted in mail transaction' : undefined);
    if (problem !== undefined) return session.protocolError('protocol', problem, '503');
    const reply = await session.policy.auth(mechanism, initial, (challenge) => session.challenge(challenge));
    return reply === undefined ? session.lost() : session.answer(reply);
  },
};
