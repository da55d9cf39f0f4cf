/**
 * What must be true before a router sees an address, in the manual's order (Exim spec 3.12). Each test is one entry of a
 * list; the first that does not hold says why the router is skipped, or why that cannot be decided now.
 */

import type { AddressFacts, Context, ListAnswer } from '../expand/context.ts';
import type { Template } from '../expand/expand.ts';
import { lower, trim } from '../lib/octets.ts';
import { matchTemplate } from '../lists/option.ts';
import { Text } from '../safe/taint.ts';
import { type User, userNamed } from '../safe/users.ts';
import { requiredFiles } from './required-files.ts';
import type { RouterInstance, RouterServices, RoutingPurpose } from './router.ts';

/** The address under test and what the tests find out. */
export interface Candidacy {
  readonly router: RouterInstance;
  readonly purpose: RoutingPurpose;
  /** `-v` or `-d` wants to see `debug_print`. */
  readonly debugPrint: ((text: string) => void) | undefined;
  readonly context: Context;
  readonly services: RouterServices;
  /** The facts of the address as this router sees it; the tests add to them. */
  readonly facts: AddressFacts;
  /** Set by `check_local_user`. */
  user: User | undefined;
}

export type Verdict =
  | { readonly outcome: 'run' }
  | { readonly outcome: 'skip'; readonly reason: string }
  | { readonly outcome: 'defer'; readonly message: string };

type Test = (candidacy: Candidacy) => Promise<Verdict | undefined> | Verdict | undefined;

const skip = (reason: string): Verdict => ({ outcome: 'skip', reason });
const defer = (message: string): Verdict => ({ outcome: 'defer', message });

const forPurpose: Test = ({ router: { common }, purpose }) => {
  if (purpose === 'test' && !common.address_test) return skip('address_test is unset');
  if (purpose === 'expn' && !common.expn) return skip('expn is unset');
  if (purpose === 'verify sender' && !common.verify_sender) return skip('verify_sender is unset');
  if (purpose === 'verify recipient' && !common.verify_recipient) return skip('verify_recipient is unset');
  const verifying = purpose === 'verify sender' || purpose === 'verify recipient';
  return common.verify_only && !verifying ? skip('verify_only is set') : undefined;
};

/** A list cannot be gone through: the panic log is told what is wrong with it, or the message why a lookup has to wait. */
function undecided(
  option: string,
  answer: ListAnswer & { readonly outcome: 'defer' },
  services: RouterServices,
): Verdict {
  if (answer.fault) services.panic(answer.message);
  const why = answer.fault || answer.message === '' ? '' : ` (${answer.message})`;
  return defer(`${option} check lookup or other defer${why}`);
}

const domains: Test = async ({ router, context, services, facts }) => {
  const list = router.common.domains;
  if (list === undefined) return undefined;
  const answer = await matchTemplate(list, facts.domain, context);
  if (answer.outcome === 'defer') return undecided('domains', answer, services);
  if (answer.outcome === 'no match') return skip('domains mismatch');
  facts.domainData = answer.value;
  context.results.numeric = answer.numeric ?? [];
  return undefined;
};

const localParts: Test = async ({ router, context, services, facts }) => {
  const list = router.common.local_parts;
  if (list === undefined) return undefined;
  const answer = await matchTemplate(list, facts.localPart, context, { caseful: router.common.caseful_local_part });
  if (answer.outcome === 'defer') return undecided('local_parts', answer, services);
  if (answer.outcome === 'no match') return skip('local_parts mismatch');
  facts.localPartData = answer.value;
  if (answer.numeric !== undefined) context.results.numeric = answer.numeric;
  return undefined;
};

const localUser: Test = (candidacy) => {
  const { router, facts } = candidacy;
  if (!router.common.check_local_user) return undefined;
  const found = /^\d+$/.test(facts.localPart) ? undefined : userNamed(facts.localPart);
  if (found === undefined) return skip(`${facts.localPart} is not a local user`);
  candidacy.user = found;
  facts.localPartData = Text.vouched(found.name);
  facts.home = Text.vouched(found.home);
  facts.localUserUid = found.uid;
  facts.localUserGid = found.gid;
  return undefined;
};

const homeDirectory: Test = async ({ router, context, facts }) => {
  const template = router.common.router_home_directory;
  if (template === undefined) return undefined;
  const expansion = await template.expand(context);
  if (!expansion.ok) {
    if (expansion.kind === 'forced') return undefined;
    return defer(`failed to expand "${template.source}" for router_home_directory: ${expansion.message}`);
  }
  facts.home = expansion.text;
  return undefined;
};

const debugPrint: Test = async ({ router, context, debugPrint: print }) => {
  const template = router.common.debug_print;
  if (print === undefined || template === undefined) return undefined;
  const expansion = await template.expand(context);
  if (expansion.ok && expansion.text.value === '') return undefined;
  if (expansion.ok) print(expansion.text.value.endsWith('\n') ? expansion.text.value : `${expansion.text.value}\n`);
  else print(`failed to expand debug_output "${template.source}": ${expansion.message}\n`);
  return undefined;
};

const senders: Test = async ({ router, context, services }) => {
  const list = router.common.senders;
  if (list === undefined) return undefined;
  const answer = await matchTemplate(list, context.message?.sender ?? '', context);
  if (answer.outcome === 'defer') return undecided('senders', answer, services);
  return answer.outcome === 'no match' ? skip('senders mismatch') : undefined;
};

const files: Test = async ({ router, context }) => {
  const setting = router.common.require_files;
  if (setting === undefined) return undefined;
  const answer = await requiredFiles(setting.source, context);
  if (typeof answer === 'object') return defer(answer.unsure);
  return answer === 'met' ? undefined : skip('file check');
};

/** Unlike for `bool_lax`, blanks count. */
const no: ReadonlySet<string> = new Set(['', '0', 'no', 'false']);

const condition: Test = async ({ router, context, services }) => {
  const template = router.common.condition;
  if (template === undefined) return undefined;
  const expansion = await template.expand(context);
  if (expansion.ok) return no.has(lower(expansion.text.value)) ? skip('condition') : undefined;
  if (expansion.kind === 'forced') return skip('condition');
  if (expansion.kind === 'failed') {
    // as in Exim, what cannot be expanded is not true; only a lookup that cannot be made now defers
    services.panic(`failed to expand condition "${template.source}" for ${router.name} router: ${expansion.message}`);
    return skip('condition cannot be expanded');
  }
  return defer(`condition check defer: ${expansion.message}`);
};

/** In the order of the manual; affixes were taken off before. */
const tests: readonly Test[] = [
  forPurpose,
  domains,
  localParts,
  localUser,
  homeDirectory,
  debugPrint,
  senders,
  files,
  condition,
];

export async function checkPreconditions(candidacy: Candidacy): Promise<Verdict> {
  for (const test of tests) {
    const answer = test(candidacy);
    const verdict = answer instanceof Promise ? await answer : answer;
    if (verdict !== undefined) return verdict;
  }
  return { outcome: 'run' };
}

/** A switch that may be an expansion which says yes or no. */
export async function readSwitch(
  setting: boolean | Template,
  name: string,
  standard: boolean,
  context: Context,
): Promise<{ readonly value: boolean } | { readonly message: string }> {
  if (typeof setting === 'boolean') return { value: setting };
  const expansion = await setting.expand(context);
  if (!expansion.ok) {
    if (expansion.kind === 'forced') return { value: standard };
    return {
      message: `failed to expand "${name}" in ${context.address?.routerName} router: ${expansion.message}`,
    };
  }
  const word = lower(trim(expansion.text.value));
  if (word === 'yes' || word === 'true') return { value: true };
  if (word === 'no' || word === 'false') return { value: false };
  return {
    message: `"${expansion.text.value}" is not a valid value for the "${name}" option in the ${context.address?.routerName} router`,
  };
}
