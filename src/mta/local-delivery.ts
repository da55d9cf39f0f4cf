/** One delivery by a local transport: rights, home, header lines and job are prepared, then the job is done (Exim spec 23, 24). */

import type { Context, DeliveryFacts } from '../expand/context.ts';
import type { Template } from '../expand/expand.ts';
import { trim } from '../lib/octets.ts';
import { parseOptionInteger } from '../lib/sizes.ts';
import type { GroupOption, UserOption } from '../options/kinds.ts';
import { type Clean, clean, literal, reviewed, Text } from '../safe/taint.ts';
import { groupNamed, userNamed, userWithId } from '../safe/users.ts';
import type { SpooledMessage } from '../spool/spool.ts';
import {
  type Content,
  type DeliveryAddress,
  type DeliveryRequest,
  type DeliveryResult,
  deferred,
  errorCodes,
  type LocalTransport,
} from '../transports/transport.ts';
import { topOf } from './address.ts';
import { deliveredHeaders } from './content.ts';
import type { Delivery } from './routing.ts';
import type { Runtime } from './runtime.ts';
import type { LocalDeliveries, Rights } from './subprocess.ts';

/** Addresses that go out together; the first stands for all where only one can. */
export type Batch = readonly [Delivery, ...Delivery[]];

export interface LocalDeliveryTools {
  readonly runtime: Runtime;
  readonly message: SpooledMessage;
  readonly processes: LocalDeliveries;
  readonly firstDelivery: boolean;
  readonly queueRunning: boolean;
  readonly dontDeliver: boolean;
}

const neverUser = -29;
const noUser = -4;

export const deliveryFacts = (
  delivery: Delivery,
  returnPath: string,
  tools: Pick<LocalDeliveryTools, 'firstDelivery' | 'queueRunning'>,
): DeliveryFacts => ({
  transportName: delivery.transport.name,
  returnPath,
  host: delivery.hosts[0]?.name ?? '',
  hostAddress: delivery.hosts[0]?.address ?? '',
  hostPort: delivery.hosts[0]?.port ?? 0,
  inode: 0,
  pipeAddresses: [],
  firstDelivery: tools.firstDelivery,
  queueRunning: tools.queueRunning,
});

/** The sender of the envelope for a delivery, before the transport's `return_path`. */
export function errorsAddress(delivery: Delivery, sender: string): string {
  return sender === '' ? '' : (delivery.inherited.errorsTo ?? sender);
}

/** The address as other programs and hosts are given it. */
export function recipientOf({ address, facts, transport, target }: Delivery): string {
  if (target !== undefined) return address.parent?.address ?? address.address;
  const { common } = transport;
  const bare = facts.localPartPrefix.value === '' && facts.localPartSuffix.value === '';
  if (common.rcpt_include_affixes || bare) return address.address;
  const start = facts.localPartPrefix.value.length;
  const at = address.address.lastIndexOf('@');
  const end = at - facts.localPartSuffix.value.length;
  return `${address.address.slice(start, end)}${address.address.slice(at)}`;
}

export function deliveryAddress(delivery: Delivery): DeliveryAddress {
  const { address, target, facts } = delivery;
  return {
    recipient: recipientOf(delivery),
    original: topOf(address).address,
    file: target?.kind === 'file' ? (facts.addressFile ?? Text.empty) : undefined,
    pipe: target?.kind === 'pipe' ? (facts.addressPipe ?? Text.empty) : undefined,
    domain: facts.domain,
  };
}

type Expanded = { readonly text: Text } | { readonly problem: string };

async function expanded(template: Template, what: string, context: Context): Promise<Expanded> {
  const expansion = await template.expand(context);
  return expansion.ok
    ? { text: expansion.text }
    : { problem: `failed to expand ${what} "${template.source}": ${expansion.message}` };
}

/** Number or name of a user or group, when the option is expanded. */
async function identity<T>(
  option: { readonly template: Template },
  what: string,
  context: Context,
  find: (name: string) => T | undefined,
): Promise<{ readonly found: T } | { readonly problem: string }> {
  const text = await expanded(option.template, what, context);
  if ('problem' in text) return text;
  const name = trim(text.text.value);
  const found = find(name);
  return found === undefined
    ? { problem: `Failed to find ${what} "${name}" from expanded string "${option.template.source}"` }
    : { found };
}

interface Owner {
  readonly uid: number;
  readonly gid: number | undefined;
  readonly home: Clean | undefined;
}

async function ownerOf(
  user: UserOption | undefined,
  what: string,
  context: Context,
): Promise<Owner | undefined | { readonly problem: string }> {
  if (user === undefined) return undefined;
  const found = 'user' in user ? { found: user.user } : await identity(user, what, context, userNamed);
  if ('problem' in found) return found;
  return { uid: found.found.uid, gid: found.found.gid, home: found.found.home };
}

async function groupOf(
  group: GroupOption | undefined,
  what: string,
  context: Context,
): Promise<number | undefined | { readonly problem: string }> {
  if (group === undefined) return undefined;
  const found = 'group' in group ? { found: group.group } : await identity(group, what, context, groupNamed);
  return 'problem' in found ? found : found.found.gid;
}

/** User and group of the delivery: the transport's, else the router's, else the local user's, else the server's. */
async function rightsOf(
  delivery: Delivery,
  context: Context,
  runtime: Runtime,
): Promise<Rights | { readonly problem: string; readonly code: number }> {
  const { transport, localUser } = delivery;
  const bad = (problem: string): { readonly problem: string; readonly code: number } => ({ problem, code: noUser });
  const ofTransport = await ownerOf(transport.common.user, `user for ${transport.name} transport`, context);
  if (ofTransport !== undefined && 'problem' in ofTransport) return bad(ofTransport.problem);
  const ofRouter =
    ofTransport === undefined
      ? await ownerOf(delivery.user, `user for ${delivery.router.name} router`, context)
      : undefined;
  if (ofRouter !== undefined && 'problem' in ofRouter) return bad(ofRouter.problem);
  const owner = ofTransport ?? ofRouter ?? localUser ?? runtime.user;
  const ownGroup = await groupOf(transport.common.group, `group for ${transport.name} transport`, context);
  if (typeof ownGroup === 'object') return bad(ownGroup.problem);
  const routersGroup =
    ownGroup === undefined && ofTransport === undefined
      ? await groupOf(delivery.group, `group for ${delivery.router.name} router`, context)
      : undefined;
  if (typeof routersGroup === 'object') return bad(routersGroup.problem);
  const gid = ownGroup ?? routersGroup ?? owner.gid;
  if (gid === undefined) return bad(`User set without group for ${transport.name} transport`);
  const rights: Rights = {
    uid: owner.uid,
    gid,
    allGroups: transport.common.initgroups || delivery.router.common.initgroups,
  };
  return neverList(rights.uid, transport.name, runtime) ?? rights;
}

function neverList(
  uid: number,
  transport: string,
  { config }: Runtime,
): { readonly problem: string; readonly code: number } | undefined {
  const listed = (config.main.never_users ?? []).some((user) => user.uid === uid);
  if (uid !== 0 && !listed) return undefined;
  const list = uid === 0 ? 'fixed_never_users' : 'never_users';
  return { problem: `User ${uid} set for ${transport} transport is on the ${list} list`, code: neverUser };
}

async function directoryFrom(
  template: Template | undefined,
  what: string,
  context: Context,
): Promise<Clean | undefined | { readonly problem: string }> {
  if (template === undefined) return undefined;
  const text = await expanded(template, what, context);
  if ('problem' in text) return text;
  const path = clean(text.text);
  if (path === undefined) return { problem: `Tainted '${text.text.value}' (${what}) not permitted` };
  if (path === '') return undefined;
  return path.startsWith('/') ? path : { problem: `${what.replace(/ for .*/, '')} path "${path}" is not absolute` };
}

/** Home and current directory (Exim spec 23.4). */
async function directoriesOf(
  delivery: Delivery,
  rights: Rights,
  context: Context,
): Promise<{ readonly home: Clean | undefined; readonly directory: Clean } | { readonly problem: string }> {
  const { transport, router, localUser, facts } = delivery;
  const own = await directoryFrom(
    transport.common.home_directory,
    `home directory for ${transport.name} transport`,
    context,
  );
  if (typeof own === 'object') return own;
  const routers =
    own === undefined
      ? await directoryFrom(
          router.common.transport_home_directory,
          `transport_home_directory for ${router.name} router`,
          context,
        )
      : undefined;
  if (typeof routers === 'object') return routers;
  const ofFacts = facts.home === undefined ? undefined : clean(facts.home);
  const home = own ?? routers ?? ofFacts ?? localUser?.home ?? userWithId(rights.uid)?.home;
  const current = await directoryFrom(
    transport.common.current_directory ?? router.common.transport_current_directory,
    `current directory for ${transport.name} transport`,
    context,
  );
  if (typeof current === 'object') return current;
  return { home, directory: current ?? home ?? literal('/') };
}

/** `return_path` of the transport, and the size limit: what all transports are asked before anything else. */
export async function commonChecks(
  delivery: Delivery,
  context: Context,
  messageSize: number,
): Promise<{ readonly returnPath: string | undefined } | DeliveryResult> {
  const { common, name } = delivery.transport;
  if (common.message_size_limit !== undefined) {
    const limit = await expanded(common.message_size_limit, `message_size_limit for ${name} transport`, context);
    if ('problem' in limit) return deferred(errorCodes.unknown, limit.problem);
    const octets = parseOptionInteger(limit.text.value);
    if (octets !== undefined && octets > 0 && messageSize > octets) {
      return { outcome: 'failed', code: 0, message: `message is too big (transport limit = ${limit.text.value})` };
    }
  }
  if (common.return_path === undefined) return { returnPath: undefined };
  const expansion = await common.return_path.expand(context);
  if (expansion.ok) return { returnPath: expansion.text.value.replace(/^<(.*)>$/s, '$1') };
  if (expansion.kind === 'forced') return { returnPath: undefined };
  return deferred(
    errorCodes.unknown,
    `failed to expand return path "${common.return_path.source}" in ${name} transport: ${expansion.message}`,
  );
}

/** Delivers a batch; the result is the same for all of its addresses. */
export async function deliverLocally(
  batch: Batch,
  context: Context,
  tools: LocalDeliveryTools,
): Promise<{ readonly result: DeliveryResult; readonly returnPath: string; readonly size: number }> {
  const [first] = batch;
  const { message, runtime } = tools;
  const { sender } = message.envelope;
  let returnPath = errorsAddress(first, sender);
  const answer = (result: DeliveryResult, size = 0): { result: DeliveryResult; returnPath: string; size: number } => ({
    result,
    returnPath,
    size,
  });
  context.address = first.facts;
  context.delivery = {
    ...deliveryFacts(first, returnPath, tools),
    pipeAddresses: batch.map(recipientOf),
  };
  const checked = await commonChecks(first, context, context.message?.size ?? 0);
  if ('outcome' in checked) return answer(checked);
  returnPath = checked.returnPath ?? returnPath;
  context.delivery = { ...context.delivery, returnPath };
  const rights = await rightsOf(first, context, runtime);
  if ('problem' in rights) return answer(deferred(rights.code, rights.problem));
  const directories = await directoriesOf(first, rights, context);
  if ('problem' in directories) return answer(deferred(errorCodes.unknown, directories.problem));
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
    },
    context,
  );
  if ('message' in headers) return answer(deferred(errorCodes.unknown, headers.message));
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
  };
  const prepared = await worker.prepare(request);
  if ('outcome' in prepared) return answer(prepared);
  if (tools.dontDeliver) return answer({ outcome: 'delivered' }, size);
  return answer(await tools.processes.perform(worker, prepared.job, content, rights), size);
}
