/** The redirect router: aliases, forward files and lists (Exim spec 22). */

import type { Context } from '../expand/context.ts';
import type { Expansion, Template } from '../expand/expand.ts';
import { type RedirectionItem, type RedirectionResult, readRedirectionList } from '../filter/redirection-list.ts';
import { lower } from '../lib/octets.ts';
import { splitAddress } from '../mail/address.ts';
import type { OptionsOf } from '../options/table.ts';
import { clean, Text } from '../safe/taint.ts';
import type { RouterCommonOptions } from './common-options.ts';
import { redirectOptions } from './redirect-options.ts';
import { includedFile, readRedirectionFile } from './redirection-file.ts';
import {
  type Child,
  defineRouter,
  type Routed,
  type RouterOutcome,
  type RouterServices,
  redirectionCodes,
} from './router.ts';

type Options = OptionsOf<typeof redirectOptions>;

const decline: RouterOutcome = { outcome: 'decline' };

function check(options: Options, common: RouterCommonOptions): string | undefined {
  if (options.data === undefined && options.file === undefined) return 'one of "file" or "data" must be specified';
  if (options.data !== undefined && options.file !== undefined) return 'only one of "file" or "data" must be specified';
  if (options.one_time && (common.headers_add !== undefined || common.headers_remove !== undefined)) {
    return '"headers_add" and "headers_remove" are not permitted with "one_time"';
  }
  if (options.one_time && common.unseen !== false) return '"unseen" may not be used with "one_time"';
  if (options.allow_filter && common.user === undefined && !common.check_local_user) {
    return '"user" or "check_local_user" must be set with "allow_filter"';
  }
  if (options.qualify_preserve_domain && options.qualify_domain !== undefined) {
    return 'only one of "qualify_domain" or "qualify_preserve_domain" must be set';
  }
  return undefined;
}

/** What a failed expansion of `data` or `file` means: forced failure declines, all else defers. */
function afterFailure(expansion: Expansion & { readonly ok: false }, what: string): RouterOutcome {
  if (expansion.kind === 'forced') return decline;
  return { outcome: 'defer', message: `failed to expand ${what}: ${expansion.message}` };
}

type Data = { readonly text: string; readonly clean: boolean } | { readonly outcome: RouterOutcome };

async function expanded(
  template: Template,
  context: Context,
): Promise<{ readonly text: Text } | { readonly outcome: RouterOutcome }> {
  const expansion = await template.expand(context);
  return expansion.ok ? { text: expansion.text } : { outcome: afterFailure(expansion, `"${template.source}"`) };
}

/** The redirection data, from the one option or the other. */
async function fetchData(options: Options, routed: Routed, context: Context): Promise<Data> {
  if (options.data !== undefined) {
    const found = await expanded(options.data, context);
    return 'text' in found ? { text: found.text.value, clean: found.text.isClean } : found;
  }
  if (options.file === undefined) return { outcome: decline };
  const name = await expanded(options.file, context);
  if ('outcome' in name) return name;
  const path = clean(name.text);
  if (path === undefined) {
    const message = `Tainted name '${name.text.value}' for file read not permitted (use $local_part_data, $domain_data or a lookup)`;
    return { outcome: { outcome: 'defer', message } };
  }
  if (!path.startsWith('/')) return { outcome: { outcome: 'defer', message: `"${path}" is not an absolute path` } };
  const found = readRedirectionFile(path, {
    modeMask: options.modemask,
    checkOwner: options.check_owner || routed.user !== undefined || options.owners !== undefined,
    checkGroup:
      options.check_group ||
      options.owngroups !== undefined ||
      (routed.user !== undefined && !(options.modemask & 0o020)),
    owners: [...(routed.user ? [routed.user.uid] : []), ...(options.owners ?? []).map(({ uid }) => uid)],
    groups: [...(routed.user ? [routed.user.gid] : []), ...(options.owngroups ?? []).map(({ gid }) => gid)],
    ignoreEacces: options.ignore_eacces,
    ignoreEnotdir: options.ignore_enotdir,
  });
  switch (found.outcome) {
    case 'found':
      return { text: found.text, clean: true };
    case 'none':
      return { outcome: decline };
    case 'refused':
      return { outcome: { outcome: 'defer', message: found.message } };
  }
}

/** Where a file or command goes, or why it goes nowhere. */
async function targetOf(
  item: RedirectionItem & { readonly kind: 'file' | 'pipe' },
  clean: boolean,
  options: Options,
  context: Context,
  services: RouterServices,
): Promise<Pick<Child, 'transport' | 'refused'>> {
  const transport = await transportFor(item, clean, options, context, services);
  if ('problem' in transport) {
    return { refused: { outcome: 'deferred', code: redirectionCodes.badTransport, message: transport.problem } };
  }
  const isForbidden = options.one_time || (item.kind === 'pipe' ? options.forbid_pipe : options.forbid_file);
  if (!isForbidden) return { transport: transport.name };
  const message = `delivery to ${item.kind} forbidden`;
  return { transport: transport.name, refused: { outcome: 'failed', code: 0, message } };
}

/** The name of the transport for files, directories or pipes. */
async function transportFor(
  item: RedirectionItem & { readonly kind: 'file' | 'pipe' },
  clean: boolean,
  options: Options,
  context: Context,
  services: RouterServices,
): Promise<{ readonly name: string } | { readonly problem: string }> {
  const option =
    item.kind === 'pipe' ? 'pipe_transport' : item.text.endsWith('/') ? 'directory_transport' : 'file_transport';
  const template = options[option];
  const router = `${context.address?.routerName} router`;
  if (template === undefined) return { problem: `${option} unset in ${router}` };
  const text = clean ? Text.vouched(item.text) : Text.tainted(item.text);
  const target = item.kind === 'pipe' ? { addressPipe: text } : { addressFile: text };
  const address = context.address === undefined ? undefined : { ...context.address, ...target };
  const expansion = await template.expand({ ...context, address });
  if (!expansion.ok) return { problem: `failed to expand ${option}: ${expansion.message}` };
  const name = expansion.text.value;
  return services.transportExists(name) ? { name } : { problem: `transport "${name}" not found in ${router}` };
}

/** The domain that unqualified addresses get. */
async function qualifierOf(
  options: Options,
  routed: Routed,
  context: Context,
  services: RouterServices,
): Promise<string | undefined> {
  if (options.qualify_preserve_domain) return routed.domain;
  if (options.qualify_domain === undefined) return services.qualifyRecipient;
  const expansion = await options.qualify_domain.expand(context);
  return expansion.ok ? expansion.text.value : undefined;
}

async function childrenOf(
  items: readonly RedirectionItem[],
  clean: boolean,
  options: Options,
  routed: Routed,
  context: Context,
  services: RouterServices,
): Promise<readonly Child[] | RouterOutcome> {
  const children: Child[] = [];
  const qualifier = await qualifierOf(options, routed, context, services);
  for (const item of items) {
    if (item.kind === 'file' || item.kind === 'pipe') {
      children.push({
        kind: item.kind,
        text: item.text,
        clean,
        ...(await targetOf(item, clean, options, context, services)),
      });
    } else if (item.kind === 'address') {
      if (item.qualified) children.push({ kind: 'address', text: item.address, clean });
      else if (item.backslash) children.push({ kind: 'address', text: `${item.address}@${routed.domain}`, clean });
      else if (qualifier === undefined) return decline;
      else children.push({ kind: 'address', text: `${item.address}@${qualifier}`, clean });
    }
  }
  return options.check_ancestor ? children.map((child) => withoutAncestors(child, routed)) : children;
}

/** `check_ancestor`: an address this one came from is replaced by this one. */
function withoutAncestors(child: Child, routed: Routed): Child {
  if (child.kind !== 'address') return child;
  const same = (a: string, b: string): boolean => {
    const [x, y] = [splitAddress(a), splitAddress(b)];
    return lower(x.localPart) === lower(y.localPart) && lower(x.domain) === lower(y.domain);
  };
  return routed.ancestors.some((ancestor) => same(ancestor, child.text)) ? { ...child, text: routed.address } : child;
}

function isOutcome(value: readonly Child[] | RouterOutcome): value is RouterOutcome {
  return !Array.isArray(value);
}

async function conclude(
  result: RedirectionResult,
  clean: boolean,
  options: Options,
  routed: Routed,
  context: Context,
  services: RouterServices,
  name: string,
): Promise<RouterOutcome> {
  switch (result.outcome) {
    case 'discard':
      return { outcome: 'discard' };
    case 'unknown':
      return decline;
    case 'error':
      return {
        outcome: 'defer',
        code: redirectionCodes.badData,
        message: `error in redirect data: ${result.message}`,
      };
    case 'list': {
      if (result.skipped.length > 0) await tellOfSyntaxErrors(result, options, context, services, name);
      if (result.items.length === 0) {
        return result.skipped.length === 0
          ? decline
          : { outcome: 'decline', message: 'syntax error in redirection data' };
      }
      const children = await childrenOf(result.items, clean, options, routed, context, services);
      if (isOutcome(children)) return children;
      const { rewrite, hide_child_in_errmsg: hidden, one_time: oneTime } = options;
      return { outcome: 'redirect', children, rewrite, hidden, oneTime };
    }
    case 'fail':
    case 'defer': {
      const children = await childrenOf(result.items, clean, options, routed, context, services);
      if (isOutcome(children)) return children;
      const { message } = result;
      const smtpCode = !options.forbid_smtp_code;
      return result.outcome === 'fail'
        ? { outcome: 'fail', message, children, smtpCode }
        : { outcome: 'defer', message, publicMessage: message, children, smtpCode };
    }
  }
}

/** `skip_syntax_errors`: each is logged, and who is named by `syntax_errors_to` gets a message about all of them. */
async function tellOfSyntaxErrors(
  { items, skipped }: RedirectionResult & { readonly outcome: 'list' },
  { syntax_errors_to: to, syntax_errors_text: template }: Options,
  context: Context,
  services: RouterServices,
  name: string,
): Promise<void> {
  const what = `${name} router`;
  for (const { message, item } of skipped) services.log(`${what}: skipped error: ${message} in "${item}"`);
  if (to === undefined || services.sendSyntaxErrors === undefined) return;
  let head = '';
  if (template !== undefined) {
    const expansion = await template.expand(context);
    if (expansion.ok) head = `${expansion.text.value}\n\n`;
    else services.log(`failed to expand "${template.source}" (syntax_errors_text) in ${what}: ${expansion.message}`);
  }
  const errors = skipped.map(({ message, item }) => `  ${message} in the address\n  "${item}"\n\n`).join('');
  const others =
    items.length > 0 ? 'Other addresses were processed normally.\n' : 'There were no other addresses to process.\n';
  await services.sendSyntaxErrors({
    to,
    text: `${head}The ${what} encountered the following error(s):\n\n${errors}${others}`,
  });
}

export const redirect = defineRouter({
  name: 'redirect',
  summary: 'replaces an address by others, by files or by commands',
  options: redirectOptions,
  transport: 'forbidden',
  check,
  make: (options) => async (routed, context, services) => {
    const data = await fetchData(options, routed, context);
    if ('outcome' in data) return data.outcome;
    const result = readRedirectionList(data.text, {
      allowFail: options.allow_fail,
      allowDefer: options.allow_defer,
      forbidBlackhole: options.forbid_blackhole,
      forbidInclude: options.forbid_include,
      skipSyntaxErrors: options.skip_syntax_errors,
      allowDomainLiterals: services.allowDomainLiterals,
      include: (name) => includedFile(name, options.include_directory),
    });
    return conclude(result, data.clean, options, routed, context, services, context.address?.routerName ?? '');
  },
});
