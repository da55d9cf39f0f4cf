/** SMTP on standard input and output: `-bs`, `-bS` and the rehearsal `-bh` (Exim spec 5.3, 49.10, 49.11). */

import { Socket } from 'node:net';
import { localConnection, newConnection } from '../../expand/facts.ts';
import { ordinary } from '../../mta/attempt.ts';
import { deliver } from '../../mta/deliver.ts';
import { closeDeliveryTools } from '../../mta/delivery-tools.ts';
import { etrnRunner } from '../../mta/etrn.ts';
import type { Client, ReceptionTools } from '../../mta/receive/client.ts';
import { serve } from '../../mta/receive/serve.ts';
import { LocalDeliveries } from '../../mta/subprocess.ts';
import { parseEndpoint, parseIp } from '../../net/address.ts';
import { LineConnection } from '../../net/line-connection.ts';
import { BatchFailure } from '../../smtp/server/batch.ts';
import type { SpooledMessage } from '../../spool/spooled-message.ts';
import { startQueueRun } from '../background.ts';
import type { Call } from '../call.ts';
import { deliveryTools } from '../delivery.ts';
import { callerSender } from '../sender.ts';

/** An IPv6 address with all its digits, as the rehearsal shows it. */
function inFull(address: string): string {
  const octets = parseIp(address);
  if (octets === undefined || octets.length === 4) return address;
  const groups = Array.from({ length: 8 }, (_, i) => ((octets[2 * i] ?? 0) << 8) | (octets[2 * i + 1] ?? 0));
  return groups.map((group) => group.toString(16).padStart(4, '0')).join(':');
}

/** The other end, when standard input is a connection that inetd has taken. */
function inheritedConnection(): { readonly address: string; readonly port: number } | undefined {
  const { stdin } = process;
  const remote = stdin instanceof Socket ? stdin.remoteAddress : undefined;
  if (!(stdin instanceof Socket) || remote === undefined) return undefined;
  return { address: remote.replace(/^::ffff:/, ''), port: stdin.remotePort ?? 0 };
}

async function clientOf(call: Call, isBatch: boolean): Promise<Client | { readonly error: string }> {
  const { invocation, caller } = call;
  const sender = await callerSender(call);
  if ('error' in sender) return sender;
  const inherited = inheritedConnection();
  const origin = caller.isTrusted ? invocation.origin : {};
  const given = origin.hostAddress === undefined ? undefined : parseEndpoint(origin.hostAddress);
  if (origin.hostAddress !== undefined && given === undefined)
    return { error: `invalid address "${origin.hostAddress}" for -oMa` };
  const remote = inherited ?? given;
  const own = origin.interfaceAddress === undefined ? undefined : parseEndpoint(origin.interfaceAddress);
  const ident = origin.ident ?? (inherited === undefined ? caller.login : '');
  const connection = remote === undefined ? localConnection(ident) : newConnection(remote.address, remote.port);
  return {
    connection: {
      ...connection,
      ident,
      isPretended: inherited === undefined,
      hostName: origin.hostName ?? '',
      interfaceAddress: own?.address ?? '',
      interfacePort: own?.port ?? 0,
      authenticator: (remote && origin.authenticator) ?? '',
      authenticatedId: (remote && origin.authenticatedId) ?? '',
    },
    caller:
      remote === undefined
        ? // the client names the sender; only -F says what he is called
          { ...caller, fullName: invocation.senderName ?? '' }
        : undefined,
    isNetwork: inherited !== undefined,
    originator: caller,
    isBatch,
    beginsWithTls: invocation.tlsOnConnect,
    isTest: false,
    protocol: origin.protocol,
    authenticatedSender: origin.authenticatedSender ?? '',
    sender: sender.address,
    timeout: invocation.smtpTimeout,
    queues: invocation.delivery === 'queue',
    suppressFixups: invocation.suppressLocalFixups && caller.isTrusted,
    dontDeliver: invocation.dontDeliver,
  };
}

export function smtpCommand(isBatch: boolean): (call: Call) => Promise<number> {
  return async (call) => {
    const { terminal, runtime, self } = call;
    const client = await clientOf(call, isBatch);
    if ('error' in client) {
      terminal.error(`exim: ${client.error}\n`);
      return 1;
    }
    const delivering = deliveryTools(call);
    let pending: Promise<void> = Promise.resolve();
    const tools: ReceptionTools = {
      runtime,
      processes: delivering.processes,
      holds: false,
      async accepted(message, queueOnly, begun) {
        const wanted = deliveryOf(call, queueOnly);
        if (wanted === undefined || wanted === 'background') begun?.connection.hangUp();
        if (wanted === undefined) message.release();
        else if (wanted === 'background') leaveToAnother(message, call);
        else
          pending = pending.then(() =>
            deliver(message, { ...ordinary, localOnly: wanted === 'local only', begun }, delivering),
          );
      },
      ready: () => pending,
      etrn: etrnRunner(runtime, (recipient, queue) => startQueueRun(recipient, queue, call.invocation, self)),
      remark: terminal.error,
    };
    try {
      const end = await serve(new LineConnection(process.stdin, process.stdout), client, tools);
      await pending;
      return end === 'failed' ? 1 : 0;
    } catch (error) {
      if (!(error instanceof BatchFailure)) throw error;
      await pending;
      terminal.error(error.report);
      terminal.out(error.brief);
      return error.place.messages > 0 ? 1 : 2;
    } finally {
      closeDeliveryTools(delivering);
    }
  };
}

/** How a message is delivered: not at all, by another process, or here. */
function deliveryOf(
  { invocation, runtime }: Call,
  queueOnly: boolean,
): 'background' | 'here' | 'local only' | undefined {
  const { queue_only: queues, queue_only_override: mayOverride } = runtime.config.main;
  const { delivery } = invocation;
  if (delivery === 'queue' || (queueOnly && !(queues && mayOverride && delivery !== undefined))) return undefined;
  if (delivery === 'foreground') return 'here';
  return delivery === 'queue smtp' ? 'local only' : 'background';
}

function leaveToAnother(message: SpooledMessage, call: Call): void {
  message.release();
  call.inBackground(message);
}

/** `-bh`: everything is decided as if a host had connected, and nothing is kept. */
export async function fakeSmtpCommand(call: Call): Promise<number> {
  const { invocation, terminal, runtime } = call;
  const remote = parseEndpoint(invocation.fakeHost ?? '');
  if (remote === undefined) {
    terminal.error(`exim abandoned: "${invocation.fakeHost}" is not an IP address\n`);
    return 1;
  }
  terminal.out(
    `\n**** SMTP testing session as if from host ${remote.address}\n**** but without any ident (RFC 1413) callback.\n**** This is not for real!\n\n`,
  );
  const { origin } = invocation;
  const own = origin.interfaceAddress === undefined ? undefined : parseEndpoint(origin.interfaceAddress);
  const client: Client = {
    connection: {
      ...newConnection(inFull(remote.address), remote.port),
      ident: origin.ident ?? '',
      interfaceAddress: own?.address ?? '',
      interfacePort: own?.port ?? 0,
    },
    caller: undefined,
    isNetwork: false,
    originator: undefined,
    isBatch: false,
    isTest: true,
    makesCallouts: invocation.callouts,
    protocol: undefined,
    authenticatedSender: '',
    sender: undefined,
    suppressFixups: false,
    dontDeliver: false,
  };
  const processes = new LocalDeliveries(call.self);
  const tools: ReceptionTools = {
    runtime,
    processes,
    holds: false,
    accepted: async (message) => message.release(),
    ready: async () => undefined,
    etrn: async () => undefined,
    remark: terminal.out,
  };
  try {
    await serve(new LineConnection(process.stdin, process.stdout), client, tools, call.decisions);
  } finally {
    processes.close();
  }
  return 0;
}
