/** Redirection data that is a filter (Exim spec 22.3): it is run, and what it asks for becomes children of the address. */

import type { Context } from '../expand/context.ts';
import type { FilterLanguage, FilterRequest } from '../filter/filter.ts';
import type { FilterLimits, FilterOutcome } from '../filter/filter-outcome.ts';
import type { OptionsOf } from '../options/table.ts';
import { mayBecomeOthers } from '../safe/privileges.ts';
import type { Text } from '../safe/taint.ts';
import type { RouterCommonOptions } from './common-options.ts';
import { childOf } from './filter-child.ts';
import { tellOfErrors } from './redirect-errors.ts';
import type { redirectOptions } from './redirect-options.ts';
import { type Qualifying, targetOf, withoutAncestors } from './redirect-targets.ts';
import { type Child, type Routed, type RouterOutcome, type RouterServices, redirectionCodes } from './router.ts';
import { type RightsProblem, rightsOfRouter } from './router-rights.ts';

type Options = OptionsOf<typeof redirectOptions>;
type User = FilterRequest['user'];

export interface FilterRouting {
  readonly options: Options;
  readonly user: User;
  readonly routed: Qualifying;
  readonly context: Context;
  readonly services: RouterServices;
}

/** Whose rights the data is read with, when they are not the server's own (Exim spec 22.1: `user`, `check_local_user`). */
export async function filterUserOf(
  common: Pick<RouterCommonOptions, 'user' | 'group'>,
  { user: localUser }: Routed,
  context: Context,
): Promise<User | RightsProblem> {
  const rights = await rightsOfRouter(common, context.address?.routerName ?? '', context);
  if ('problem' in rights) return rights;
  const owner = rights.user ?? localUser;
  if (owner === undefined || owner.uid === process.geteuid?.()) return undefined;
  return { uid: owner.uid, gid: rights.group?.gid ?? owner.gid };
}

function limitsOf(options: Options): FilterLimits {
  return {
    allowFreeze: options.allow_freeze,
    allowFail: options.allow_fail,
    allowDefer: options.allow_defer,
    forbidFile: options.forbid_file,
    forbidPipe: options.forbid_pipe,
    forbidReply: options.forbid_filter_reply,
    forbidLogwrite: options.forbid_filter_logwrite,
    forbidDlfunc: options.forbid_filter_dlfunc,
    forbidExistsTest: options.forbid_filter_existstest,
    forbidLookup: options.forbid_filter_lookup,
    forbidPerl: options.forbid_filter_perl,
    forbidReadFile: options.forbid_filter_readfile,
    forbidReadSocket: options.forbid_filter_readsocket,
    forbidRun: options.forbid_filter_run,
  };
}

/** Why the filter is not run. */
function refusal({ name }: FilterLanguage, options: Options): string | undefined {
  if (!options.allow_filter) return 'filtering not enabled';
  const isForbidden = name === 'Exim' ? options.forbid_exim_filter : options.forbid_sieve_filter;
  return isForbidden ? `${name} filtering not enabled` : undefined;
}

export async function runFilter(language: FilterLanguage, text: Text, routing: FilterRouting): Promise<RouterOutcome> {
  const { options, user, routed, context, services } = routing;
  const refused = refusal(language, options);
  const where = options.file === undefined ? 'filter data' : 'filter file';
  const bad = (message: string): RouterOutcome => ({
    outcome: 'defer',
    code: redirectionCodes.badData,
    message: `error in ${where}: ${message}`,
  });
  if (refused !== undefined) return bad(refused);
  if (user !== undefined && !mayBecomeOthers()) {
    return { outcome: 'defer', message: `unable to run the filter as uid=${user.uid}: this process has no right to` };
  }
  const run = await language.load();
  const { decisions } = context;
  if (decisions.listening) decisions.begin('route', `${language.name} filter`);
  const outcome = await run({
    text,
    context,
    limits: limitsOf(options),
    isSystem: false,
    ownAddresses: ownAddresses(routed, context),
    prependHome: options.filter_prepend_home,
    qualifyDomain: routed.qualifier,
    firstDelivery: services.attempt?.firstDelivery ?? false,
    manuallyThawed: services.attempt?.manuallyThawed ?? false,
    isDry: routed.purpose !== 'deliver',
    user,
    sieve: {
      subaddress: options.sieve_subaddress,
      userAddress: options.sieve_useraddress,
      vacationDirectory: options.sieve_vacation_directory,
      enotifyMailtoOwner: options.sieve_enotify_mailto_owner,
    },
    test: undefined,
  });
  if (decisions.listening) decisions.end(outcome.outcome, 'message' in outcome ? outcome.message : '');
  if (outcome.outcome !== 'error') return conclude(outcome, routing);
  if (!options.skip_syntax_errors) return bad(outcome.message);
  services.log(`${context.address?.routerName} router: skipped error: ${outcome.message}`);
  await tellOfErrors(`  ${outcome.message}\n\nNo valid addresses were generated.\n`, options, context, services);
  return { outcome: 'decline' };
}

/** The address with and without its prefix and suffix. */
function ownAddresses({ localPart, domain }: Routed, { address }: Context): string[] {
  const { localPartPrefix: prefix, localPartSuffix: suffix } = address ?? {};
  return [`${prefix?.value ?? ''}${localPart}${suffix?.value ?? ''}@${domain}`, `${localPart}@${domain}`];
}

async function conclude(
  outcome: FilterOutcome & { readonly outcome: 'done' | 'fail' | 'freeze' | 'defer' },
  routing: FilterRouting,
): Promise<RouterOutcome> {
  const { options, routed, context, services } = routing;
  if (outcome.outcome === 'defer') {
    return { outcome: 'defer', message: outcome.message, publicMessage: outcome.message };
  }
  const children: Child[] = [];
  for (const action of outcome.actions) {
    const child = await childOf(action, (kind, text) => targetOf({ kind }, text, options, context, services));
    children.push(options.check_ancestor ? withoutAncestors(child, routed) : child);
  }
  const { rewrite, hide_child_in_errmsg: hidden, one_time: oneTime } = options;
  switch (outcome.outcome) {
    case 'fail':
      return { outcome: 'fail', message: outcome.message, children, smtpCode: !options.forbid_smtp_code };
    case 'freeze':
      return { outcome: 'defer', message: outcome.message, children, freeze: true };
    case 'done':
      if (routed.purpose === 'deliver') {
        for (const notice of outcome.notices ?? []) await services.sendNotice?.(notice);
      }
      if (children.length > 0) {
        return { outcome: 'redirect', children, rewrite, hidden, oneTime, passesOn: !outcome.significant };
      }
      return outcome.significant ? { outcome: 'discard', by: 'filter' } : { outcome: 'decline' };
  }
}
