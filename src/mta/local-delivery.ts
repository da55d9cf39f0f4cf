/** One delivery by a local transport: rights, home, header lines and job are prepared, then the job is done (Exim spec 23, 24). */

import type { Context } from '../expand/context.ts';
import { reviewed, Text } from '../safe/taint.ts';
import { bodyInMemory } from '../spool/body.ts';
import type { SpooledMessage } from '../spool/spooled-message.ts';
import {
  type Content,
  type DeliveryRequest,
  type DeliveryResult,
  deferred,
  errorCodes,
  type LocalTransport,
} from '../transports/transport.ts';
import { topOf } from './address.ts';
import { rewriteTools } from './arrival.ts';
import { deliveredHeaders } from './content.ts';
import {
  type Batch,
  commonChecks,
  deliveryAddress,
  deliveryFacts,
  errorsAddress,
  recipientOf,
} from './delivery-request.ts';
import { directoriesOf, rightsOf } from './local-rights.ts';
import type { Runtime } from './runtime.ts';
import { sendReply } from './send-reply.ts';
import type { LocalDeliveries } from './subprocess.ts';

export interface LocalDeliveryTools {
  readonly runtime: Runtime;
  readonly message: SpooledMessage;
  readonly processes: LocalDeliveries;
  readonly firstDelivery: boolean;
  readonly queueRunning: boolean;
  readonly dontDeliver: boolean;
  /** Delivers a message that the delivery itself puts on the queue. */
  deliverReport(message: SpooledMessage): Promise<void>;
}

export interface LocallyDelivered {
  readonly result: DeliveryResult;
  readonly returnPath: string;
  /** Octets. */
  readonly size: number;
  /** What logs call the file or directory that redirection named, when the transport made another of it. */
  readonly place?: string | undefined;
}

/** Delivers a batch; the result is the same for all of its addresses. */
export async function deliverLocally(
  batch: Batch,
  context: Context,
  tools: LocalDeliveryTools,
): Promise<LocallyDelivered> {
  const [first] = batch;
  const { message, runtime } = tools;
  const { sender } = message.envelope;
  let returnPath = errorsAddress(first, sender);
  let place: string | undefined;
  const answer = (result: DeliveryResult, size = 0): LocallyDelivered => ({ result, returnPath, size, place });
  context.address = first.facts;
  context.delivery = {
    ...deliveryFacts(first, returnPath, tools),
    pipeAddresses: batch.map(recipientOf),
  };
  const panic = (line: string): void => runtime.logs.panic(line, message.id);
  const checked = await commonChecks(first, context, context.message?.size ?? 0, panic);
  if ('outcome' in checked) return answer(checked);
  returnPath = checked.returnPath ?? returnPath;
  context.delivery = { ...context.delivery, returnPath };
  const rights = await rightsOf(first, context, runtime);
  const misconfigured = (code: number, problem: string): LocallyDelivered => {
    panic(problem);
    return answer(deferred(code, problem));
  };
  if ('problem' in rights) return misconfigured(rights.code, rights.problem);
  const directories = await directoriesOf(first, rights, context);
  if ('problem' in directories) {
    const { code, problem, panic } = directories;
    return panic ? misconfigured(code, problem) : answer(deferred(code, problem));
  }
  context.address = {
    ...first.facts,
    home: directories.home === undefined ? undefined : Text.vouched(directories.home),
  };
  const headers = await deliveredHeaders(
    {
      headers: message.envelope.headers,
      common: first.transport.common,
      added: first.inherited.headersAdd,
      removed: first.inherited.headersRemove,
      returnPath,
      envelopeTo: [...new Set(batch.map(({ address }) => topOf(address).address))],
      rewrite: rewriteTools(runtime, message.id, runtime.config.transportRewriteRules.get(first.transport.name) ?? []),
    },
    context,
  );
  if ('message' in headers) {
    return answer(
      deferred(errorCodes.headersFailed, `failed to expand headers_add or headers_remove: ${headers.message}`),
    );
  }
  const content: Content = { headers: headers.headers, body: message.body };
  const size = headers.headers.length + 1 + message.body.size;
  const worker = first.transport.worker as LocalTransport;
  const request: DeliveryRequest = {
    transport: first.transport.name,
    common: first.transport.common,
    messageId: message.id,
    addresses: batch.map(deliveryAddress),
    hosts: first.hosts,
    returnPath,
    content,
    context,
    ...directories,
    primaryHostname: reviewed(runtime.settings.primaryHostname, 'a setting of the configuration or of the system'),
    uid: rights.uid,
    gid: rights.gid,
    dialect: runtime.config.dialect,
  };
  const prepared = await worker.prepare(request);
  if ('outcome' in prepared) return answer(prepared);
  place = prepared.job.place;
  if (tools.dontDeliver) return answer({ outcome: 'delivered' }, size);
  const result = await tools.processes.perform(
    worker,
    { ...prepared.job, workingDirectory: directories.directory },
    content,
    rights,
  );
  if (result.outcome !== 'delivered' || result.reply === undefined) return answer(result, size);
  const { reply } = result;
  const unsent = await sendReply(reply, { about: message.id, rights, context, runtime }, tools.deliverReport);
  if (unsent !== undefined) return answer(unsent);
  const nothing: Content = { headers: '', body: bodyInMemory(Buffer.alloc(0)) };
  const noted = await tools.processes.perform(worker, reply.then, nothing, rights);
  if (reply.complaint !== undefined) runtime.logs.panic(reply.complaint, message.id);
  return answer(noted, size);
}
