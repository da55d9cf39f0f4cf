/**
 * The condition `pam` (Exim spec 11.7). The modules of PAM are code of others that waits as long as it likes, so that each
 * question is asked in a process of its own, with the rights that this one works with and with all groups of that user.
 */

import type { AuthenticationAnswer, Credentials } from '../expand/questions.ts';
import { askPam } from '../safe/pam.ts';
import { mayBecomeOthers } from '../safe/privileges.ts';
import { type RunningProgram, startProgram } from '../safe/spawn.ts';
import { type Clean, literal } from '../safe/taint.ts';
import { FrameReader, frame } from './frames.ts';
import { startAs } from './user-process.ts';

/** Milliseconds that the modules may take: some wait before they say no. */
const patience = 120_000;

const silence: AuthenticationAnswer = { error: 'PAM gave no answer' };

function startAsker(program: Clean): RunningProgram {
  const [uid = 0, gid = 0] = [process.geteuid?.(), process.getegid?.()];
  if (mayBecomeOthers() && uid !== 0) {
    return startAs({ program, args: [] }, literal('--ask-pam-as'), { uid, gid, allGroups: true });
  }
  const args = [literal('--ask-pam')];
  return startProgram({ program, args, environment: {}, directory: literal('/'), umask: 0o077 });
}

function isAnswer(value: unknown): value is AuthenticationAnswer {
  if (typeof value !== 'object' || value === null) return false;
  return 'error' in value
    ? typeof value.error === 'string'
    : 'accepted' in value && typeof value.accepted === 'boolean';
}

/** The side of the server; `program` is this program. */
export async function askPamProcess(program: Clean, credentials: Credentials['pam']): Promise<AuthenticationAnswer> {
  const asker = startAsker(program);
  const timer = setTimeout(() => asker.kill(), patience);
  try {
    await asker.write(frame(credentials));
    const answer = await new FrameReader(asker.output).next();
    return isAnswer(answer) ? answer : silence;
  } catch {
    return silence;
  } finally {
    clearTimeout(timer);
    asker.kill();
  }
}

/** The side of that process: one question, one answer. */
export async function servePam(input: AsyncIterable<Buffer>, write: (octets: Buffer) => Promise<void>): Promise<void> {
  const question = (await new FrameReader(input).next()) as Credentials['pam'] | undefined;
  if (question !== undefined) await write(frame(askPam(question.user, question.answers)));
}
