/** A message from standard input (`-bm`, `-t`, or no option at all), and what its exit status says (Exim spec 5: -oex). */

import { type DeliveryTools, ordinary } from '../../mta/attempt.ts';
import { deliver } from '../../mta/deliver.ts';
import { closeDeliveryTools } from '../../mta/delivery-tools.ts';
import { emptyMessage } from '../../mta/facts.ts';
import { gecosName } from '../../mta/fixups.ts';
import { type SubmissionResult, submitLocally } from '../../mta/local-submission.ts';
import { sendProblemReport } from '../../mta/problem-report.ts';
import { newContext } from '../../mta/runtime.ts';
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
  const fullName =
    invocation.senderName ?? (sender.address === undefined ? gecosName(caller.fullName, caller.login) : '');
  const result = await submitLocally(
    {
      input: process.stdin as AsyncIterable<Buffer>,
      caller: { ...caller, fullName },
      sender: sender.address,
      recipients: invocation.arguments,
      recipientsFromHeaders: invocation.recipientsFromHeaders,
      dotEndsMessage: invocation.dotEndsMessage,
      qualify: !invocation.dontQualify,
      suppressFixups: invocation.suppressLocalFixups && trusted,
      dontDeliver: invocation.dontDeliver,
      origin: trusted ? invocation.origin : {},
      reference: invocation.bounceFor,
    },
    runtime,
  );
  const tools = deliveryTools(call);
  try {
    return await finish(result, call, tools);
  } finally {
    closeDeliveryTools(tools);
  }
}

async function finish(result: SubmissionResult, call: Call, tools: DeliveryTools): Promise<number> {
  const { runtime } = call;
  if (result.outcome === 'discarded') return 0;
  if (result.outcome === 'accepted') {
    if (result.problem !== undefined && result.problem.kind === 'bad header recipients') {
      runtime.logs.panic(`${result.message.id} bad addresses found in headers`, result.message.id);
      await report(
        result.problem,
        result.message.envelope.sender,
        result.message.id,
        async () => undefined,
        call,
        tools,
      );
    }
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
  const queued =
    queueOnly ||
    invocation.delivery === 'queue' ||
    message.envelope.facts.frozen !== undefined ||
    (main.queue_only && !(main.queue_only_override && invocation.delivery !== undefined));
  if (queued) {
    message.release();
    return;
  }
  if (invocation.delivery === 'foreground' || invocation.delivery === 'queue smtp') {
    await deliver(message, { ...ordinary, localOnly: invocation.delivery === 'queue smtp' }, tools);
    return;
  }
  const { id } = message;
  message.release();
  call.inBackground(id);
}

async function refused(
  result: SubmissionResult & { readonly outcome: 'refused' },
  call: Call,
  tools: DeliveryTools,
): Promise<number> {
  const { invocation, terminal, runtime } = call;
  const { problem, id, sender } = result;
  if (problem.kind === 'no recipients') runtime.logs.panic(`${id} no recipients found in headers`, id);
  if (problem.kind === 'bad header recipients') runtime.logs.panic(`${id} bad addresses found in headers`, id);
  if (invocation.errorMode === 'print' || sender === '') {
    terminal.error(`exim: ${describe(problem)}\n`);
    return 1;
  }
  const sent = await report(problem, sender, id, result.copy, call, tools);
  return invocation.errorMode === 'mail' && sent ? 0 : 1;
}

function describe(problem: (SubmissionResult & { readonly outcome: 'refused' })['problem']): string {
  switch (problem.kind) {
    case 'no recipients':
      return 'no recipients found in headers';
    case 'bad recipient':
    case 'bad header recipients':
      return problem.bad.map(({ text, reason }) => `bad recipient address "${text}": ${reason}`).join('\nexim: ');
    case 'too big':
      return `message too big (limit set to ${problem.limit})`;
    default:
      return problem.message;
  }
}

async function report(
  problem: (SubmissionResult & { readonly outcome: 'refused' })['problem'],
  sender: string,
  id: string,
  copy: (write: (piece: Buffer) => Promise<void> | undefined) => Promise<void>,
  { runtime, caller }: Call,
  tools: DeliveryTools,
): Promise<boolean> {
  if (sender === '') return false;
  const context = newContext(runtime);
  context.message = emptyMessage(sender, caller);
  const message = await sendProblemReport(problem, sender, id, copy, context, runtime);
  await deliver(message, ordinary, tools);
  return true;
}
