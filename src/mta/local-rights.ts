/** The rights of a local delivery, its home and its current directory (Exim spec 23). */

import { constants } from 'node:os';
import type { Context } from '../expand/context.ts';
import type { Template } from '../expand/expand.ts';
import { findGroup, findUser } from '../routers/router-rights.ts';
import * as files from '../safe/files.ts';
import { type Clean, clean, literal } from '../safe/taint.ts';
import type { User } from '../safe/users.ts';
import { errorCodes, type TransportInstance } from '../transports/transport.ts';
import type { Delivery } from './routing.ts';
import type { Runtime } from './runtime.ts';
import type { Rights } from './user-process.ts';

const neverUser = -29;
const noGroup = -28;
const notAbsolute = -21;

interface Owner {
  readonly uid: number;
  readonly gid: number | undefined;
}

const ownerOf = ({ uid, gid }: User): Owner => ({ uid, gid: gid < 0 ? undefined : gid });

/** User and group of the delivery: the transport's, else the router's, else the local user's, else the server's. */
export async function rightsOf(
  delivery: Delivery,
  context: Context,
  runtime: Runtime,
): Promise<Rights | { readonly problem: string; readonly code: number }> {
  const { transport, localUser } = delivery;
  if (runtime.config.main.deliver_drop_privilege) return { ...runtime.user, allGroups: false };
  const { user, group } = transport.common;
  const where = `${transport.name} transport`;
  const own = user && (await findUser(user, where, context));
  if (own !== undefined && 'problem' in own) return { ...own, code: neverUser };
  const ofTransport = own && ownerOf(own.found);
  const owner =
    ofTransport ??
    creatorOf(transport, context) ??
    (delivery.user === undefined ? (localUser ?? runtime.user) : ownerOf(delivery.user));
  const ownGroup = group && (await findGroup(group, where, context));
  if (ownGroup !== undefined && 'problem' in ownGroup) return { ...ownGroup, code: noGroup };
  const routersGroup = ofTransport === undefined ? delivery.group?.gid : undefined;
  const gid = ownGroup?.found.gid ?? routersGroup ?? owner.gid;
  if (gid === undefined) return { problem: `User set without group for ${transport.name} transport`, code: noGroup };
  const rights: Rights = {
    uid: owner.uid,
    gid,
    allGroups: transport.common.initgroups || delivery.router.common.initgroups,
  };
  return neverList(rights.uid, transport.name, runtime) ?? rights;
}

/** Who handed the message over, for a pipe that is to run as that user (pipe_as_creator). */
function creatorOf({ options }: TransportInstance, { message }: Context): Owner | undefined {
  if (options['pipe_as_creator'] !== true || message === undefined) return undefined;
  return { uid: message.originatorUid, gid: message.originatorGid };
}

function neverList(
  uid: number,
  transport: string,
  { privileged, fixedNeverUsers }: Runtime,
): { readonly problem: string; readonly code: number } | undefined {
  const fixed = fixedNeverUsers.has(uid);
  const listed = privileged.neverUsers.has(uid);
  if (!fixed && !listed) return undefined;
  const list = fixed ? 'fixed_never_users' : 'never_users';
  return { problem: `User ${uid} set for ${transport} transport is on the ${list} list`, code: neverUser };
}

async function directoryFrom(
  template: Template | undefined,
  what: 'home directory' | 'current directory',
  transport: string,
  context: Context,
): Promise<Clean | undefined | DirectoryProblem> {
  if (template === undefined) return undefined;
  const expansion = await template.expand(context);
  if (!expansion.ok) {
    const problem = `${what} "${template.source}" failed to expand for ${transport} transport: ${expansion.message}`;
    return { problem, code: errorCodes.expansion, panic: true };
  }
  const path = clean(expansion.text);
  if (path === undefined) {
    const problem = `Tainted '${expansion.text.value}' (${what} for ${transport} transport) not permitted`;
    return { problem, code: errorCodes.unknown, panic: false };
  }
  if (path.startsWith('/')) return path;
  return {
    problem: `${what} path "${path}" is not absolute for ${transport} transport`,
    code: notAbsolute,
    panic: true,
  };
}

/** A directory that is not there; one that this process may not look at is left to the user it is for. */
function missing(directory: Clean): DirectoryProblem | undefined {
  if (directory === '/') return undefined;
  try {
    const found = files.stat(directory);
    if (found?.isDirectory()) return undefined;
    const { ENOENT, ENOTDIR } = constants.errno;
    const code = found === undefined ? ENOENT : ENOTDIR;
    return { problem: `failed to chdir to ${directory}`, code, panic: false };
  } catch {
    return undefined;
  }
}

/** Why a delivery cannot have its directory, with Exim's number or that of the system. */
interface DirectoryProblem {
  readonly problem: string;
  readonly code: number;
  /** It is the configuration's fault. */
  readonly panic: boolean;
}

/** Home and current directory (Exim spec 23.4). A user that an option names brings no home along, a local user does. */
export async function directoriesOf(
  delivery: Delivery,
  _rights: Rights,
  context: Context,
): Promise<{ readonly home: Clean | undefined; readonly directory: Clean } | DirectoryProblem> {
  const { transport, router, localUser, facts } = delivery;
  const { name } = transport;
  const own = await directoryFrom(transport.common.home_directory, 'home directory', name, context);
  if (typeof own === 'object') return own;
  const routers =
    own === undefined
      ? await directoryFrom(router.common.transport_home_directory, 'home directory', name, context)
      : undefined;
  if (typeof routers === 'object') return routers;
  const ofFacts = facts.home === undefined ? undefined : clean(facts.home);
  const home = own ?? routers ?? ofFacts ?? localUser?.home;
  const current = await directoryFrom(
    transport.common.current_directory ?? router.common.transport_current_directory,
    'current directory',
    name,
    context,
  );
  if (typeof current === 'object') return current;
  const directory = current ?? home ?? literal('/');
  return missing(directory) ?? { home, directory };
}
