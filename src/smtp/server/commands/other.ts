/** The commands that are no part of a mail transaction: RSET, NOOP, VRFY, EXPN, ETRN, HELP, QUIT (RFC 5321 §4.1.1, RFC 1985). */

import type { SmtpCommand } from '../command.ts';
import type { Reply } from '../policy.ts';
import type { SessionEnd, SmtpSession } from '../session.ts';

const row = (
  verb: string,
  argument: SmtpCommand['argument'],
  endsGroup: boolean,
  reply: (session: SmtpSession, argument: string) => Promise<Reply> | Reply,
): SmtpCommand => ({
  verb,
  argument,
  isMail: false,
  endsGroup,
  run: async (session, text) => session.answer(await reply(session, text)),
});

/** In a batch there is nobody to be told. */
const unlessBatch =
  (ask: (session: SmtpSession, argument: string) => Promise<Reply>) =>
  (session: SmtpSession, argument: string): Promise<Reply> | Reply =>
    session.settings.isBatch ? { code: '250', text: 'OK' } : ask(session, argument);

export const rset = row('RSET', 'none', false, (session) => {
  session.endTransaction('RSET');
  return { code: '250', text: 'Reset OK' };
});

export const noop = row('NOOP', 'optional', true, () => ({ code: '250', text: 'OK' }));

export const vrfy = row(
  'VRFY',
  'optional',
  true,
  unlessBatch((session, argument) => session.policy.vrfy(argument)),
);

export const expn = row(
  'EXPN',
  'optional',
  true,
  unlessBatch((session, argument) => session.policy.expn(argument)),
);

export const etrn = row(
  'ETRN',
  'optional',
  true,
  unlessBatch(async (session, argument) =>
    session.hasSender
      ? { code: '503', text: 'ETRN is not permitted inside a transaction', mistake: 'protocol' }
      : session.policy.etrn(argument),
  ),
);

export const help = row('HELP', 'optional', true, (session) => ({
  code: '214',
  text: `Commands supported:\n${session.policy.commands().join(' ')}`,
}));

export const quit: SmtpCommand = {
  verb: 'QUIT',
  argument: 'none',
  isMail: false,
  endsGroup: false,
  async run(session): Promise<SessionEnd> {
    session.tellIncomplete('QUIT');
    // its ACL still sees the message that was begun
    session.send(await session.policy.quit());
    session.forgetTransaction();
    return 'quit';
  },
};
