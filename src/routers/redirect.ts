/** The redirect router: aliases, forward files and lists (Exim spec 22). */

import type { Context } from '../expand/context.ts';
import type { Expansion, Template } from '../expand/expand.ts';
import { type FilterRequest, filterLanguageOf } from '../filter/filter.ts';
import { type RedirectionItem, type RedirectionResult, readRedirectionList } from '../filter/redirection-list.ts';
import { groupsOf, usersOf } from '../options/name-lists.ts';
import type { OptionsOf } from '../options/table.ts';
import { withRightsOf } from '../safe/privileges.ts';
import { clean, Text } from '../safe/taint.ts';
import type { RouterCommonOptions } from './common-options.ts';
import { tellOfErrors } from './redirect-errors.ts';
import { filterUserOf, runFilter } from './redirect-filter.ts';
import { redirectOptions } from './redirect-options.ts';
import { type Qualifying, qualifying, targetOf, withoutAncestors } from './redirect-targets.ts';
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

type Data = { readonly text: Text } | { readonly outcome: RouterOutcome };

async function expanded(
  template: Template,
  context: Context,
): Promise<{ readonly text: Text } | { readonly outcome: RouterOutcome }> {
  const expansion = await template.expand(context);
  return expansion.ok ? { text: expansion.text } : { outcome: afterFailure(expansion, `"${template.source}"`) };
}

/** The redirection data, from the one option or the other. */
async function fetchData(
  options: Options,
  routed: Routed,
  user: FilterRequest['user'],
  context: Context,
): Promise<Data> {
  if (options.data !== undefined) {
    return expanded(options.data, context);
  }
  if (options.file === undefined) return { outcome: decline };
  const name = await expanded(options.file, context);
  if ('outcome' in name) return name;
  const { value } = name.text;
  if (!value.startsWith('/')) return { outcome: { outcome: 'defer', message: `"${value}" is not an absolute path` } };
  const path = clean(name.text);
  if (path === undefined) {
    const message = `Tainted name '${name.text.value}' for file read not permitted\n`;
    return { outcome: { outcome: 'defer', message } };
  }
  const owners = await usersOf(options.owners, 'owners', context);
  const groups = await groupsOf(options.owngroups, 'owngroups', context);
  if ('error' in owners) return { outcome: { outcome: 'defer', message: owners.error } };
  if ('error' in groups) return { outcome: { outcome: 'defer', message: groups.error } };
  const rules = {
    modeMask: options.modemask,
    checkOwner: options.check_owner || routed.user !== undefined || options.owners !== undefined,
    checkGroup:
      options.check_group ||
      options.owngroups !== undefined ||
      (routed.user !== undefined && !(options.modemask & 0o020)),
    owners: [...(routed.user ? [routed.user.uid] : []), ...owners.value.map(({ uid }) => uid)],
    groups: [...(routed.user ? [routed.user.gid] : []), ...groups.value.map(({ gid }) => gid)],
    ignoreEacces: options.ignore_eacces,
    ignoreEnotdir: options.ignore_enotdir,
  };
  const found = withRightsOf(user, () => readRedirectionFile(path, rules));
  switch (found.outcome) {
    case 'found':
      return { text: Text.vouched(found.text) };
    case 'none':
      return { outcome: decline };
    case 'refused':
      return { outcome: { outcome: 'defer', message: found.message } };
  }
}

/** A text of the data, as trusted as that is. */
const textOf = (text: string, isClean: boolean): Text => (isClean ? Text.vouched(text) : Text.tainted(text));

async function childrenOf(
  items: readonly RedirectionItem[],
  clean: boolean,
  options: Options,
  routed: Qualifying,
  context: Context,
  services: RouterServices,
): Promise<readonly Child[]> {
  const children: Child[] = [];
  for (const item of items) {
    if (item.kind === 'file' || item.kind === 'pipe') {
      children.push({
        kind: item.kind,
        text: item.text,
        clean,
        ...(await targetOf(item, textOf(item.text, clean), options, context, services)),
      });
    } else if (item.kind === 'address') {
      if (item.qualified) children.push({ kind: 'address', text: item.address, clean });
      else if (item.backslash) children.push({ kind: 'address', text: `${item.address}@${routed.domain}`, clean });
      else children.push({ kind: 'address', text: `${item.address}@${routed.qualifier}`, clean });
    }
  }
  return options.check_ancestor ? children.map((child) => withoutAncestors(child, routed)) : children;
}

async function conclude(
  result: RedirectionResult,
  clean: boolean,
  options: Options,
  routed: Qualifying,
  context: Context,
  services: RouterServices,
  name: string,
): Promise<RouterOutcome> {
  switch (result.outcome) {
    case 'discard':
      return { outcome: 'discard' };
    case 'error':
      return {
        outcome: 'defer',
        code: redirectionCodes.badData,
        message: `error in redirect ${options.file === undefined ? 'data' : 'file'}: ${result.message}`,
      };
    case 'list': {
      if (result.skipped.length > 0) await tellOfSyntaxErrors(result, options, context, services, name);
      if (result.items.length === 0) {
        return result.skipped.length === 0
          ? decline
          : { outcome: 'decline', message: 'syntax error in redirection data' };
      }
      const children = await childrenOf(result.items, clean, options, routed, context, services);
      const { rewrite, hide_child_in_errmsg: hidden, one_time: oneTime } = options;
      return { outcome: 'redirect', children, rewrite, hidden, oneTime };
    }
    case 'fail':
    case 'defer': {
      const children = await childrenOf(result.items, clean, options, routed, context, services);
      const smtpCode = !options.forbid_smtp_code;
      const message = smtpCode ? result.message : withoutCode(result.message);
      return result.outcome === 'fail'
        ? { outcome: 'fail', message, children, smtpCode }
        : { outcome: 'defer', message, publicMessage: message, children, smtpCode };
    }
  }
}

/** `forbid_smtp_code`: the text behind a code, and behind the extended code that may follow it. */
const withoutCode = (text: string): string => text.replace(/^\d{3}\s(?:\d\.\d{1,3}\.\d{1,3}\s)?/, '');

/** `skip_syntax_errors`: each is logged, and who is named by `syntax_errors_to` gets a message about all of them. */
async function tellOfSyntaxErrors(
  { items, skipped }: RedirectionResult & { readonly outcome: 'list' },
  options: Options,
  context: Context,
  services: RouterServices,
  name: string,
): Promise<void> {
  for (const { message, item } of skipped) services.log(`${name} router: skipped error: ${message} in "${item}"`);
  const errors = skipped.map(({ message, item }) => `  ${message} in the address\n  "${item}"\n\n`).join('');
  const others =
    items.length > 0 ? 'Other addresses were processed normally.\n' : 'There were no other addresses to process.\n';
  await tellOfErrors(`${errors}${others}`, options, context, services);
}

export const redirect = defineRouter({
  name: 'redirect',
  summary: 'replaces an address by others, by files or by commands',
  options: redirectOptions,
  transport: 'forbidden',
  check,
  make: (options, common) => async (routed, context, services) => {
    const user = await filterUserOf(common, routed, context);
    if (user !== undefined && 'problem' in user) {
      if (user.panic) services.panic(user.problem);
      return { outcome: 'defer', message: user.problem };
    }
    const qualified = await qualifying(options, routed, context, services);
    if ('outcome' in qualified) return qualified;
    const data = await fetchData(options, routed, user, context);
    if ('outcome' in data) return data.outcome;
    const { text } = data;
    const language = filterLanguageOf(text.value);
    if (language !== undefined)
      return runFilter(language, text, { options, user, routed: qualified, context, services });
    const result = readRedirectionList(text.value, {
      allowFail: options.allow_fail,
      allowDefer: options.allow_defer,
      forbidBlackhole: options.forbid_blackhole,
      forbidInclude: options.forbid_include,
      skipSyntaxErrors: options.skip_syntax_errors,
      // whether they can be delivered to is for the routers to say
      allowDomainLiterals: 'any',
      utf8Domain: context.settings.allowUtf8Domains,
      include: (name) => includedFile(name, options.include_directory),
    });
    return conclude(result, text.isClean, options, qualified, context, services, context.address?.routerName ?? '');
  },
});
