/** What the system filter asks for, as addresses to be routed and deliveries that need no router (Exim spec 47.1). */

import type { FilterAction } from '../filter/filter-outcome.ts';
import { standardValues } from '../options/table.ts';
import { routerCommonOptions } from '../routers/common-options.ts';
import { childOf, type FindTarget } from '../routers/filter-child.ts';
import { redirect } from '../routers/redirect.ts';
import type { RouterInstance } from '../routers/router.ts';
import { rightsOfRouter } from '../routers/router-rights.ts';
import { clean, Text } from '../safe/taint.ts';
import { childAddress, factsOf, originalAddress, type RouteAddress } from './address.ts';
import type { Attempt } from './attempt.ts';
import type { Delivery, RefusedTarget } from './routing.ts';

export interface SystemDeliveries {
  readonly addresses: readonly RouteAddress[];
  readonly deliveries: readonly Delivery[];
  readonly refused: readonly RefusedTarget[];
}

/** What deliveries come from that no recipient of the message asked for. */
const origin: RouteAddress = { ...originalAddress('system-filter', -1) };

/** The system filter stands where else a router does; log lines name none. */
const noRouter: RouterInstance = {
  name: '',
  driver: redirect,
  common: standardValues(routerCommonOptions),
  options: {},
  set: new Set(),
  hidden: new Set(),
  route: () => ({ outcome: 'decline' }),
};

const transportOptions = {
  file: 'system_filter_file_transport',
  directory: 'system_filter_directory_transport',
  pipe: 'system_filter_pipe_transport',
  reply: 'system_filter_reply_transport',
} as const;

/** The transport of the configuration for what is delivered to. */
const findTarget =
  ({ runtime, context }: Attempt): FindTarget =>
  async (kind, text) => {
    const { main, transports } = runtime.config;
    const deferred = (message: string): Awaited<ReturnType<FindTarget>> => ({
      refused: { outcome: 'deferred', code: -1, message },
    });
    const isDirectory = kind === 'file' && text.value.endsWith('/');
    const option = transportOptions[isDirectory ? 'directory' : kind];
    const template = main[option];
    if (template === undefined) return deferred(`${option} is unset`);
    const named = kind === 'pipe' ? { addressPipe: text } : kind === 'file' ? { addressFile: text } : {};
    const expansion = await template.expand({ ...context, address: { ...factsOf(origin), ...named } });
    if (!expansion.ok) return deferred(`failed to expand "${template.source}" as a system filter transport name`);
    const name = clean(expansion.text);
    if (name === undefined) {
      return deferred(
        `attempt to used tainted value '${expansion.text.value}' fortransport '${template.source}' as a system filter`,
      );
    }
    return transports.has(name)
      ? { transport: name }
      : deferred(`failed to find "${name}" transport for system filter delivery`);
  };

export async function systemDeliveries(actions: readonly FilterAction[], attempt: Attempt): Promise<SystemDeliveries> {
  const { transports, main } = attempt.runtime.config;
  const addresses: RouteAddress[] = [];
  const deliveries: Delivery[] = [];
  const refused: RefusedTarget[] = [];
  const { system_filter_user: user, system_filter_group: group } = main;
  const rights = await rightsOfRouter({ user, group }, 'system filter', attempt.context);
  for (const action of actions) {
    const child = await childOf(action, findTarget(attempt));
    const { errorsTo, noError } = child;
    const inherited = { ...origin.inherited, errorsTo, ignoresErrors: noError };
    const address = childAddress(origin, child.text, { inherited });
    const transport = transports.get(child.transport ?? '');
    if (child.refused !== undefined) refused.push({ ...child.refused, address, target: child, router: noRouter });
    else if (child.kind === 'address') addresses.push(address);
    else if ('problem' in rights) {
      const problem = { outcome: 'deferred', code: -1, message: rights.problem } as const;
      refused.push({ ...problem, address, target: child, router: noRouter });
    } else if (transport !== undefined) {
      const text = child.clean ? Text.vouched(child.text) : Text.tainted(child.text);
      const named = child.kind === 'pipe' ? { addressPipe: text } : child.kind === 'file' ? { addressFile: text } : {};
      deliveries.push({
        address,
        router: noRouter,
        transport,
        target: child,
        hosts: [],
        inherited,
        facts: { ...factsOf(address), localPart: '', domain: '', ...named },
        ...rights,
        localUser: undefined,
      });
    }
  }
  return { addresses, deliveries, refused };
}
