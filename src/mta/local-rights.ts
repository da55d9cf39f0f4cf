/** The rights of a local delivery, its home and its current directory (Exim spec 23). */

import type { Context } from '../expand/context.ts';
import type { Template } from '../expand/expand.ts';
import { trim } from '../lib/octets.ts';
import type { GroupOption, UserOption } from '../options/kinds.ts';
import { type Clean, clean, literal } from '../safe/taint.ts';
import { groupNamed, userNamed } from '../safe/users.ts';
import { errorCodes, type TransportInstance } from '../transports/transport.ts';
import { expanded } from './delivery-request.ts';
import type { Delivery } from './routing.ts';
import type { Runtime } from './runtime.ts';
import type { Rights } from './user-process.ts';

const neverUser = -29;
const notAbsolute = -21;
const noUser = -4;

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
export async function rightsOf(
  delivery: Delivery,
  context: Context,
  runtime: Runtime,
): Promise<Rights | { readonly problem: string; readonly code: number }> {
  const { transport, localUser } = delivery;
  if (runtime.config.main.deliver_drop_privilege) return { ...runtime.user, allGroups: false };
  const bad = (problem: string): { readonly problem: string; readonly code: number } => ({ problem, code: noUser });
  const ofTransport = await ownerOf(transport.common.user, `user for ${transport.name} transport`, context);
  if (ofTransport !== undefined && 'problem' in ofTransport) return bad(ofTransport.problem);
  const ofRouter =
    ofTransport === undefined
      ? await ownerOf(delivery.user, `user for ${delivery.router.name} router`, context)
      : undefined;
  if (ofRouter !== undefined && 'problem' in ofRouter) return bad(ofRouter.problem);
  const owner = ofTransport ?? creatorOf(transport, context) ?? ofRouter ?? localUser ?? runtime.user;
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

/** Who handed the message over, for a pipe that is to run as that user (pipe_as_creator). */
function creatorOf({ options }: TransportInstance, { message }: Context): Owner | undefined {
  if (options['pipe_as_creator'] !== true || message === undefined) return undefined;
  return { uid: message.originatorUid, gid: message.originatorGid, home: undefined };
}

function neverList(
  uid: number,
  transport: string,
  { config, fixedNeverUsers }: Runtime,
): { readonly problem: string; readonly code: number } | undefined {
  const fixed = fixedNeverUsers.has(uid);
  const listed = (config.main.never_users ?? []).some((user) => user.uid === uid);
  if (!fixed && !listed) return undefined;
  const list = fixed ? 'fixed_never_users' : 'never_users';
  return { problem: `User ${uid} set for ${transport} transport is on the ${list} list`, code: neverUser };
}

/** A directory that cannot be had; the code is for logs. */
interface Misplaced {
  readonly problem: string;
  readonly code: number;
}

async function directoryFrom(
  template: Template | undefined,
  what: string,
  context: Context,
): Promise<Clean | undefined | Misplaced> {
  if (template === undefined) return undefined;
  const text = await expanded(template, what, context);
  if ('problem' in text) return { ...text, code: errorCodes.unknown };
  const path = clean(text.text);
  if (path === undefined) {
    return { problem: `Tainted '${text.text.value}' (${what}) not permitted`, code: errorCodes.unknown };
  }
  if (path === '') return undefined;
  if (path.startsWith('/')) return path;
  const [, kind, whose] = /^(.*?)( for .*)$/.exec(what) ?? [];
  return { problem: `${kind} path "${path}" is not absolute${whose}`, code: notAbsolute };
}

/** Home and current directory (Exim spec 23.4). A user that an option names brings no home along, a local user does. */
export async function directoriesOf(
  delivery: Delivery,
  _rights: Rights,
  context: Context,
): Promise<{ readonly home: Clean | undefined; readonly directory: Clean } | Misplaced> {
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
  const home = own ?? routers ?? ofFacts ?? localUser?.home;
  const current = await directoryFrom(
    transport.common.current_directory ?? router.common.transport_current_directory,
    `current directory for ${transport.name} transport`,
    context,
  );
  if (typeof current === 'object') return current;
  return { home, directory: current ?? home ?? literal('/') };
}
