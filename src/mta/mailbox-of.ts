/**
 * Finds the mailbox of a login name by routing it like a recipient (Exim spec 3.8): the appendfile transport it ends in
 * says where the mail lies, and whose rights it takes to read it.
 *
 * Only the mailbox of the name itself is found. Whoever may log in as a user is not let into another's mailbox because
 * mail is redirected there, by himself or by a table: a redirection is followed when it leads to the same address again,
 * or names a file or directory in the administrator's own data. What `unseen` routers do besides does not count.
 */

import type { Context } from '../expand/context.ts';
import { lower } from '../lib/octets.ts';
import { parseAddress } from '../mail/address.ts';
import { reviewed, Text } from '../safe/taint.ts';
import type { MailboxPlace } from '../store/mailbox.ts';
import { type AppendfileOptions, lockRules, mailboxTarget } from '../transports/appendfile-target.ts';
import { Unprepared } from '../transports/expanding.ts';
import { addressKey, originalAddress, type RouteAddress } from './address.ts';
import { deliveryFacts, errorsAddress } from './delivery-request.ts';
import { directoriesOf, rightsOf } from './local-rights.ts';
import { route } from './route.ts';
import { routerServices } from './router-services.ts';
import type { Delivery, Routing } from './routing.ts';
import { newContext, type Runtime } from './runtime.ts';
import type { Rights } from './user-process.ts';

export type FoundMailbox =
  | { readonly outcome: 'found'; readonly place: MailboxPlace; readonly rights: Rights }
  /** `message` is for logs. `deferred`: it cannot be told now. */
  | { readonly outcome: 'none' | 'deferred'; readonly message: string };

const none = (message: string): FoundMailbox => ({ outcome: 'none', message });

/** Where the search must end, whatever the routers do. */
const maximumSteps = 20;

export async function mailboxOf(name: string, runtime: Runtime): Promise<FoundMailbox> {
  const { config } = runtime;
  const parsed = parseAddress(name);
  if ('error' in parsed) return none(`the name is no address: ${parsed.error}`);
  if (parsed.address !== name) return none('the name is no address');
  const address = parsed.domain === undefined ? `${name}@${runtime.settings.qualifyRecipient}` : name;
  const context = newContext(runtime);
  const rules = {
    routers: config.routers,
    transports: config.transports,
    services: routerServices(runtime),
    purpose: 'deliver' as const,
    debugPrint: undefined,
    verifyErrorsTo: undefined,
  };
  let current: RouteAddress = originalAddress(address);
  const key = lower(addressKey(current));
  for (let step = 0; step < maximumSteps; step++) {
    const next = nextOf(await route(current, context, rules), key);
    if ('outcome' in next) return next;
    if ('delivery' in next) return placeOf(next.delivery, context, runtime);
    current = next.address;
  }
  return none('the address turns into itself without end');
}

type Next = FoundMailbox | { readonly delivery: Delivery } | { readonly address: RouteAddress };

/** What a step of routing means for the search; `key` is the address that it is for. */
function nextOf(routing: Routing, key: string): Next {
  switch (routing.outcome) {
    case 'failed':
      return none(`routing failed: ${routing.message}`);
    case 'deferred':
      return { outcome: 'deferred', message: `routing was deferred: ${routing.message}` };
    case 'discarded':
      return none(`the ${routing.router.name} router discards its mail`);
    case 'delivered to':
      return routing.copy === undefined ? { delivery: routing.delivery } : { address: routing.copy };
    case 'replaced':
      return routing.copy === undefined ? afterRedirection(routing, key) : { address: routing.copy };
  }
}

function afterRedirection(routing: Routing & { readonly outcome: 'replaced' }, key: string): Next {
  const { router, children, deliveries } = routing;
  const itself = children.filter((child) => lower(addressKey(child)) === key);
  const [only] = itself;
  if (only !== undefined && itself.length === 1) return { address: only };
  const [delivery] = deliveries;
  if (children.length > 0 || delivery === undefined || deliveries.length > 1) {
    return none(`the ${router.name} router redirects its mail elsewhere`);
  }
  if (delivery.target?.kind !== 'file') return none(`the ${router.name} router gives its mail to a program`);
  const isFromTable = delivery.target.clean && router.options['file'] === undefined;
  return isFromTable ? { delivery } : none(`the ${router.name} router redirects its mail to a file that a user named`);
}

/** Where a delivery would put mail, and with whose rights. */
export async function placeOf(delivery: Delivery, context: Context, runtime: Runtime): Promise<FoundMailbox> {
  const { transport } = delivery;
  if (transport.driver.name !== 'appendfile') {
    return none(`the ${transport.name} transport (${transport.driver.name}) keeps no mailbox`);
  }
  context.address = delivery.facts;
  context.delivery = deliveryFacts(delivery, errorsAddress(delivery, ''), {
    firstDelivery: false,
    queueRunning: false,
  });
  const rights = await rightsOf(delivery, context, runtime);
  if ('problem' in rights) return none(rights.problem);
  if (rights.uid === 0) return none(`the ${transport.name} transport delivers as root`);
  const directories = await directoriesOf(delivery, rights, context);
  if ('problem' in directories) return none(directories.problem);
  const { home } = directories;
  context.address = { ...delivery.facts, home: home === undefined ? undefined : Text.vouched(home) };
  const options = transport.options as AppendfileOptions;
  try {
    const file = delivery.target === undefined ? undefined : delivery.facts.addressFile;
    const { format, path } = await mailboxTarget(options, { transport: transport.name, context, file });
    const kept = format === 'maildir' ? 'maildir' : format === 'file' && !options.mbx_format ? 'mbox' : undefined;
    if (kept === undefined) return none(`the ${transport.name} transport keeps neither a maildir nor a mailbox file`);
    const lock = lockRules(options, transport.set);
    const hostname = reviewed(runtime.settings.primaryHostname, 'a setting of the configuration or of the system');
    const allowSymlink = options.allow_symlink;
    return { outcome: 'found', place: { format: kept, path, allowSymlink, lock, hostname }, rights };
  } catch (error) {
    if (!(error instanceof Unprepared)) throw error;
    const { result } = error;
    return { outcome: 'deferred', message: 'message' in result ? result.message : '' };
  }
}
