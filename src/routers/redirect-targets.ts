/** Where what a redirect router names goes: files, commands and letters to a transport, addresses to the routers (Exim spec 22). */

import type { Context } from '../expand/context.ts';
import { lower } from '../lib/octets.ts';
import { splitAddress } from '../mail/address.ts';
import type { OptionsOf } from '../options/table.ts';
import type { Text } from '../safe/taint.ts';
import type { redirectOptions } from './redirect-options.ts';
import { type Child, type Routed, type RouterOutcome, type RouterServices, redirectionCodes } from './router.ts';

type Options = OptionsOf<typeof redirectOptions>;

interface Target {
  readonly kind: 'file' | 'pipe' | 'reply';
}

/** Which option names the transport, which forbids the delivery, and how that is said. */
const rules = {
  file: { transport: 'file_transport', forbids: 'forbid_file', message: 'delivery to file forbidden' },
  pipe: { transport: 'pipe_transport', forbids: 'forbid_pipe', message: 'delivery to pipe forbidden' },
  reply: { transport: 'reply_transport', forbids: 'forbid_filter_reply', message: 'autoreply forbidden' },
} as const;

/** Where a file or command goes, or why it goes nowhere. */
export async function targetOf(
  item: Target,
  text: Text,
  options: Options,
  context: Context,
  services: RouterServices,
): Promise<Pick<Child, 'transport' | 'refused'>> {
  const transport = await transportFor(item, text, options, context, services);
  if ('problem' in transport) {
    return { refused: { outcome: 'deferred', code: redirectionCodes.badTransport, message: transport.problem } };
  }
  const { forbids, message } = rules[item.kind];
  if (!options.one_time && !options[forbids]) return { transport: transport.name };
  return { transport: transport.name, refused: { outcome: 'failed', code: 0, message } };
}

/** The name of the transport for files, directories or pipes. */
async function transportFor(
  item: Target,
  text: Text,
  options: Options,
  context: Context,
  services: RouterServices,
): Promise<{ readonly name: string } | { readonly problem: string }> {
  const isDirectory = item.kind === 'file' && text.value.endsWith('/');
  const option = isDirectory ? 'directory_transport' : rules[item.kind].transport;
  const template = options[option];
  const router = `${context.address?.routerName} router`;
  if (template === undefined) return { problem: `${option} unset in ${router}` };
  const target = item.kind === 'pipe' ? { addressPipe: text } : item.kind === 'file' ? { addressFile: text } : {};
  const address = context.address === undefined ? undefined : { ...context.address, ...target };
  const expansion = await template.expand({ ...context, address });
  if (!expansion.ok)
    return { problem: `failed to expand transport "${template.source}" in ${router}: ${expansion.message}` };
  const name = expansion.text.value;
  if (!expansion.text.isClean) {
    services.panic(`attempt to use tainted value '${name}' from '${template.source}' for transport`);
    return { problem: 'internal configuration error' };
  }
  return services.transportExists(name) ? { name } : { problem: `transport "${name}" not found in ${router}` };
}

/** With the domain that unqualified addresses get. */
export interface Qualifying extends Routed {
  readonly qualifier: string;
}

/** The option is expanded whether or not there is an address to qualify. */
export async function qualifying(
  options: Options,
  routed: Routed,
  context: Context,
  services: RouterServices,
): Promise<Qualifying | RouterOutcome> {
  if (options.qualify_preserve_domain) return { ...routed, qualifier: routed.domain };
  const { qualify_domain: template } = options;
  if (template === undefined) return { ...routed, qualifier: services.qualifyRecipient };
  const expansion = await template.expand(context);
  if (expansion.ok) return { ...routed, qualifier: expansion.text.value };
  if (expansion.kind === 'forced') return { outcome: 'decline' };
  return { outcome: 'defer', message: `failed to expand "${template.source}": ${expansion.message}` };
}

/** `check_ancestor`: an address this one came from is replaced by this one. */
export function withoutAncestors(child: Child, routed: Routed): Child {
  if (child.kind !== 'address') return child;
  const same = (a: string, b: string): boolean => {
    const [x, y] = [splitAddress(a), splitAddress(b)];
    return lower(x.localPart) === lower(y.localPart) && lower(x.domain) === lower(y.domain);
  };
  return routed.ancestors.some((ancestor) => same(ancestor, child.text)) ? { ...child, text: routed.address } : child;
}
