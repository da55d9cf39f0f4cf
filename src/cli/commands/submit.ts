/** A message from standard input (`-bm`, `-t`, or no option at all), and what its exit status says (Exim spec 5: -oex). */

import { emptyMessage } from '../../expand/facts.ts';
import { type DeliveryTools, ordinary } from '../../mta/attempt.ts';
import { deliver } from '../../mta/deliver.ts';
import { closeDeliveryTools } from '../../mta/delivery-tools.ts';
import {
  type LocalSubmission,
  type Refusal,
  type SubmissionResult,
  submitLocally,
} from '../../mta/local-submission.ts';
import { deliverWrapped } from '../../mta/mua-wrapper.ts';
import { sendProblemReport } from '../../mta/problem-report.ts';
import { loadReason, queueFile } from '../../mta/queue-only.ts';
import { newContext } from '../../mta/runtime.ts';
import { parseEndpoint } from '../../net/address.ts';
import { queueId } from '../../safe/taint.ts';
import type { SpooledMessage } from '../../spool/spooled-message.ts';
import type { Call } from '../call.ts';
import { deliveryTools } from '../delivery.ts';
import { callerSender } from '../sender.ts';

export async function submitCommand(call: Call): Promise<number> {
  const { invocation, runtime, caller, terminal } = call;
  const sender = await callerSender(call);
  if ('error' in sender) {
    terminal.error(`exim: ${sender.error}\n`);
    return 1;
  }
  const trusted = caller.isTrusted;
  const given = trusted ? invocation.origin : {};
  const remote = given.hostAddress === undefined ? undefined : parseEndpoint(given.hostAddress);
  const fullName = invocation.senderName ?? (sender.address === undefined ? caller.fullName : '');
  const tools = deliveryTools(call);
  const request: LocalSubmission = {
    input: process.stdin as AsyncIterable<Buffer>,
    timeout: invocation.receiveTimeout ?? runtime.config.main.receive_timeout,
    caller: { ...caller, fullName },
    sender: sender.address,
    recipients: invocation.arguments,
    recipientsFromHeaders: invocation.recipientsFromHeaders,
    dotEndsMessage: invocation.dotEndsMessage,
    qualify: !invocation.dontQualify,
    suppressFixups: invocation.suppressLocalFixups && trusted,
    dontDeliver: invocation.dontDeliver,
    origin: {
      protocol: invocation.localProtocol,
      ...given,
      ...(remote === undefined ? {} : { hostAddress: remote.address, hostPort: remote.port }),
    },
    reference: queueId(invocation.bounceFor ?? ''),
    async acceptsRest(refusal) {
      if (invocation.errorMode === 'print') return false;
      logRefusal(refusal, call);
      await report(refusal, refusal.id, call, tools);
      return true;
    },
  };
  try {
    return await finish(await submitLocally(request, runtime), call, tools);
  } finally {
    closeDeliveryTools(tools);
  }
}

async function finish(result: SubmissionResult, call: Call, tools: DeliveryTools): Promise<number> {
  if (result.outcome === 'discarded' || result.outcome === 'misconfigured') return 1;
  if (result.outcome === 'timed out') {
    process.stdin.destroy();
    call.terminal.error('exim: timed out while reading - message abandoned\n');
    return 1;
  }
  if (result.outcome === 'no space') {
    call.terminal.error('exim: insufficient disk space\n');
    return 1;
  }
  if (result.outcome === 'accepted' && call.runtime.config.main.mua_wrapper) {
    const problem = await deliverWrapped(result.message, tools);
    if (problem === undefined) return 0;
    call.terminal.error(`${problem}\n`);
    return 1;
  }
  if (result.outcome === 'accepted') {
    await deliverOrQueue(result.message, result.queueOnly, call, tools);
    return 0;
  }
  return refused(result, call, tools);
}

/** Delivers now, leaves it to another process, or leaves it on the queue. */
export async function deliverOrQueue(
  message: SpooledMessage,
  queueOnly: boolean,
  call: Call,
  tools: DeliveryTools,
): Promise<void> {
  const { invocation, runtime } = call;
  const { main } = runtime.config;
  const file = queueFile(main);
  const overridden = main.queue_only_override && invocation.delivery !== undefined;
  const queued =
    queueOnly ||
    invocation.delivery === 'queue' ||
    message.envelope.facts.frozen !== undefined ||
    ((main.queue_only || file === 'all') && !overridden);
  const reason = queued ? undefined : loadReason(main);
  if (reason !== undefined) runtime.logs.main(reason, message.id);
  if (queued || reason !== undefined) {
    message.release();
    return;
  }
  const localOnly = invocation.delivery === 'queue smtp' || file === 'smtp';
  if (invocation.delivery === 'foreground' || localOnly) {
    await deliver(message, { ...ordinary, localOnly }, tools);
    return;
  }
  message.release();
  call.inBackground(message);
}

async function refused(refusal: Refusal, call: Call, tools: DeliveryTools): Promise<number> {
  const { invocation, terminal } = call;
  const { problem, id, sender } = refusal;
  try {
    logRefusal(refusal, call);
    if (invocation.errorMode === 'print' || sender === '') {
      terminal.error(`exim: ${describe(problem)}\n`);
      return 1;
    }
    // an argument is looked at before the message is, and so there is no id to refer to
    const sent = await report(refusal, problem.kind === 'bad recipient' ? undefined : id, call, tools);
    return invocation.errorMode === 'mail' && sent ? 0 : 1;
  } finally {
    refusal.discard();
  }
}

function logRefusal({ problem, id }: Refusal, { runtime }: Call): void {
  if (problem.kind === 'no recipients') runtime.logs.panic(`${id} no recipients found in headers`, id);
  if (problem.kind === 'bad header recipients') runtime.logs.panic(`${id} bad addresses found in headers`, id);
}

function describe(problem: Refusal['problem']): string {
  switch (problem.kind) {
    case 'no recipients':
      return 'no recipients in message';
    case 'too many recipients':
      return 'too many recipients';
    case 'bad recipient':
      return `bad recipient address "${problem.bad[0]?.text}": ${problem.bad[0]?.reason}`;
    case 'bad header recipients': {
      const bad = problem.bad.map(({ text, reason }) => `  ${text}: ${reason}`);
      return bad.length === 1 ? `invalid address:${bad[0]}` : `invalid addresses:\n${bad.join('\n')}`;
    }
    case 'too big':
      return `message rejected: message too big (max=${problem.limit})`;
    case 'refused':
      return `message rejected by non-SMTP ACL: ${problem.message}`;
    default:
      return problem.message;
  }
}

async function report(
  { problem, sender, copy }: Refusal,
  reference: string | undefined,
  { runtime, caller }: Call,
  tools: DeliveryTools,
): Promise<boolean> {
  if (sender === '') return false;
  const context = newContext(runtime);
  context.message = emptyMessage(sender, caller);
  const message = await sendProblemReport(problem, sender, reference, copy, context, runtime);
  await deliver(message, ordinary, tools);
  return true;
}
