/**
 * Submits the message of an autoreply transport, as the program that a user calls to send one would: in the name of the
 * delivery's user, with an empty sender, to those whom its header lines name (Exim spec 27).
 */

import type { Context } from '../expand/context.ts';
import { expandText } from '../expand/expand.ts';
import { emptyFilterFacts } from '../expand/facts.ts';
import { mayBecomeOthers } from '../safe/privileges.ts';
import { Text } from '../safe/taint.ts';
import { userWithId } from '../safe/users.ts';
import type { SpooledMessage } from '../spool/spooled-message.ts';
import { deferred, errorCodes, type Reply, type ReplyPart, type Undelivered } from '../transports/transport.ts';
import { type Refusal, type SubmissionResult, submitLocally } from './local-submission.ts';
import type { SubmissionProblem } from './problem-report.ts';
import type { Runtime } from './runtime.ts';
import type { Rights } from './user-process.ts';

export interface Origin {
  /** The message that is answered. */
  readonly about: string;
  readonly rights: Rights;
  readonly context: Context;
  readonly runtime: Runtime;
}

/** Sends it; nothing when that is done, or when it has no recipients. */
export async function sendReply(
  reply: Reply,
  origin: Origin,
  deliver: (message: SpooledMessage) => Promise<void>,
): Promise<Undelivered | undefined> {
  const pieces: Buffer[] = [];
  for (const part of reply.parts) {
    const text = await textOf(part, origin);
    if (typeof text !== 'string') return text;
    pieces.push(Buffer.from(text, 'latin1'));
  }
  const result = await submitFor(pieces, '', origin);
  const { runtime } = origin;
  if (result.outcome === 'accepted') {
    if (result.queueOnly || runtime.config.main.queue_only || result.message.envelope.facts.frozen !== undefined) {
      result.message.release();
    } else {
      await deliver(result.message);
    }
    return undefined;
  }
  if (result.outcome === 'refused') {
    result.discard();
    complain(result, origin);
    if (result.problem.kind === 'no recipients') return undefined;
  }
  const { transportName } = origin.context.delivery ?? { transportName: '' };
  return deferred(0, `Failed to send message from ${transportName} transport (1)`);
}

/** Submits a message to those whom its header lines name. */
export function submitFor(pieces: readonly Buffer[], sender: string, origin: Origin): Promise<SubmissionResult> {
  const { about, rights, runtime } = origin;
  const { uid, gid } = rights;
  const { trustedUsers, trustedGroups } = runtime.privileged;
  const isTrusted = uid === 0 || uid === runtime.user.uid || trustedUsers.has(uid) || trustedGroups.has(gid);
  return submitLocally(
    {
      timeout: 0,
      input: (async function* () {
        yield* pieces;
      })(),
      caller: { login: userWithId(uid)?.name ?? String(uid), fullName: '', isTrusted, uid, gid },
      sender,
      recipients: [],
      recipientsFromHeaders: true,
      dotEndsMessage: false,
      qualify: true,
      suppressFixups: false,
      dontDeliver: false,
      origin: {},
      reference: about,
      async acceptsRest(refusal) {
        complain(refusal, origin);
        return true;
      },
    },
    runtime,
  );
}

/**
 * The text of a part, its lines expanded where that is asked for; a line that cannot be expanded stays as it is. An
 * expansion works with the server's rights, so a file that others may write is not expanded; only one that a filter chose
 * has the rights of the filter's user.
 */
async function textOf(
  { text, expand }: ReplyPart,
  { rights, context, runtime }: Origin,
): Promise<string | Undelivered> {
  if (expand === undefined) return text;
  const server = runtime.user.uid;
  const isOnlyOwners = (expand.mode & 0o022) === 0;
  const isServers = !expand.ofFilter && isOnlyOwners && (expand.owner === 0 || expand.owner === server);
  const isUsers = expand.ofFilter && mayBecomeOthers();
  if (!isServers && !isUsers && rights.uid !== server) {
    const why = 'whoever may write it would act with the rights of the server';
    return deferred(errorCodes.unknown, `file ${expand.path} is not expanded (file_expand): ${why}`, { panic: true });
  }
  const earlier = context.filter;
  if (!isServers) context.filter = { ...emptyFilterFacts(), user: rights.uid === server ? undefined : rights };
  let expanded = '';
  for (const line of text.split(/(?<=\n)/)) {
    const expansion = await expandText(Text.configured(line), context);
    expanded += expansion.ok ? expansion.text.value : line;
  }
  context.filter = earlier;
  return expanded;
}

/** Logs what was wrong: a message without a sender has nobody who could be told. */
export function complain({ problem, id }: Refusal, { about, runtime }: Origin): void {
  if (problem.kind === 'no recipients') runtime.logs.panic(`${id} no recipients found in headers`, id);
  if (problem.kind === 'bad header recipients') runtime.logs.panic(`${id} bad addresses found in headers`, id);
  const text = reasonOf(problem);
  runtime.logs.main(`Error while reading message with no usable sender address (R=${about}): ${text}`, id);
}

function reasonOf(problem: SubmissionProblem): string {
  switch (problem.kind) {
    case 'no recipients':
      return 'no recipient addresses';
    case 'bad recipient':
    case 'bad header recipients': {
      const [first] = problem.bad;
      return `at least one malformed recipient address: ${first?.text} - ${first?.reason}`;
    }
    case 'too many recipients':
      return 'too many recipients';
    case 'too big':
      return `message too big (limit set to ${problem.limit})`;
    case 'bad headers':
      return `malformed header section: ${problem.message}`;
    case 'refused':
      return `rejected by non-SMTP ACL: ${problem.message}`;
  }
}
