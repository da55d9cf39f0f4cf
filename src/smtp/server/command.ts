/** The contract of SMTP commands. */

import type { SessionEnd, SmtpSession } from './session.ts';

export interface SmtpCommand {
  readonly verb: string;
  /** What must follow the verb: `FROM:`. */
  readonly words?: string | undefined;
  /** Whether anything may stand behind it. */
  readonly argument: 'none' | 'optional';
  /** Part of a mail transaction; other commands are counted. */
  readonly isMail: boolean;
  /** There is no such thing in batch SMTP. */
  readonly notInBatches?: boolean;
  /** The client must wait for the answer before it sends more (RFC 2920 §3.1). */
  readonly endsGroup: boolean;
  /** Commands may stand behind it for a client that may begin early. */
  readonly beginsSession?: true | undefined;
  /** What comes behind it is no command. */
  readonly dataFollows?: true | undefined;
  /** Answers how the session ended, if it did. */
  run(session: SmtpSession, argument: string): Promise<SessionEnd | undefined> | SessionEnd | undefined;
}
