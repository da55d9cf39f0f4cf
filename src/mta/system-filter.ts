/**
 * The system filter (Exim spec 47): run at the start of every attempt to deliver a message, before anything is routed. It
 * changes header lines at once, names further deliveries or others in place of the recipients, and may hold them back.
 */

import { eximLanguage, type FilterRequest } from '../filter/filter.ts';
import { type FilterOutcome, unlimited } from '../filter/filter-outcome.ts';
import { changedHeaders } from '../filter/header-change.ts';
import { errorCode, errorText } from '../lib/errno.ts';
import * as files from '../safe/files.ts';
import { withRightsOf } from '../safe/privileges.ts';
import { clean, Text } from '../safe/taint.ts';
import type { Attempt } from './attempt.ts';
import { rightsOfSystemFilter } from './system-filter-rights.ts';
import { type SystemDeliveries, systemDeliveries } from './system-filter-targets.ts';

/** What becomes of the recipients of the message. */
export type SystemFiltered = SystemDeliveries & {
  readonly recipients: 'go on' | 'replaced' | 'held' | 'failed';
};

const nothing: SystemDeliveries = { addresses: [], deliveries: [], refused: [] };

/** Runs the filter; nothing when the message is to be left alone for now, which the log tells then. */
export async function runSystemFilter(attempt: Attempt): Promise<SystemFiltered | undefined> {
  const { runtime, context, message, tools } = attempt;
  if (runtime.config.main.system_filter === undefined) return { ...nothing, recipients: 'go on' };
  const { decisions } = tools;
  if (decisions.listening) decisions.begin('route', 'system filter');
  const outcome = await outcomeFor(attempt);
  if (decisions.listening) decisions.end(outcome.outcome, 'message' in outcome ? outcome.message : '');
  if (outcome.outcome === 'error') {
    runtime.logs.panic(`Error in system filter: ${outcome.message}`, message.id);
    return undefined;
  }
  context.systemNumbers = outcome.numbers;
  for (const change of outcome.headers) {
    message.envelope.headers = changedHeaders(message.envelope.headers, change);
  }
  if (context.message !== undefined) {
    context.message.headers = message.envelope.headers.filter(({ type }) => type !== '*');
  }
  return carriedOut(outcome, attempt);
}

async function outcomeFor(attempt: Attempt): Promise<FilterOutcome> {
  const { context, message, options, firstDelivery, runtime } = attempt;
  const user = await rightsOfSystemFilter(attempt);
  if (user !== undefined && 'problem' in user) return { outcome: 'error', message: user.problem };
  const text = await filterText(attempt, user);
  if (typeof text === 'string') return { outcome: 'error', message: text };
  const run = await eximLanguage.load();
  context.address = undefined;
  return run({
    text,
    context,
    limits: unlimited,
    isSystem: true,
    ownAddresses: [],
    prependHome: true,
    qualifyDomain: runtime.settings.qualifyRecipient,
    firstDelivery,
    manuallyThawed: (message.envelope.facts.manualThaw ?? false) || options.thaw,
    isDry: false,
    user,
    sieve: undefined,
    test: undefined,
  });
}

/** The text of the file; or why there is none. */
async function filterText({ runtime, context }: Attempt, user: FilterRequest['user']): Promise<Text | string> {
  const template = runtime.config.main.system_filter;
  if (template === undefined) return '';
  const expansion = await template.expand(context);
  if (!expansion.ok) return `failed to expand "${template.source}": ${expansion.message}`;
  const name = expansion.text.value;
  if (!name.startsWith('/')) return `"${name}" is not an absolute path`;
  const path = clean(expansion.text);
  if (path === undefined) return `Tainted name '${name}' for file read not permitted`;
  try {
    return Text.vouched(withRightsOf(user, () => files.readText(path)));
  } catch (error) {
    return errorCode(error) === 'ENOENT' ? `${path} does not exist` : `failed to open ${path}: ${errorText(error)}`;
  }
}

async function carriedOut(
  outcome: Exclude<FilterOutcome, { readonly outcome: 'error' }>,
  attempt: Attempt,
): Promise<SystemFiltered | undefined> {
  if (outcome.outcome === 'defer') {
    attempt.log('Delivery deferred by system filter');
    if (outcome.headers.length > 0) {
      await attempt.message.update();
    }
    return undefined;
  }
  const made = await systemDeliveries(outcome.actions, attempt);
  const recipients = whatOfRecipients(outcome, attempt);
  for (const refused of made.refused) {
    const undelivered = attempt.refusal(refused);
    if (refused.outcome === 'failed') attempt.fail(undelivered);
    else attempt.defer({ ...undelivered, transport: undefined, panic: true });
  }
  return { ...made, recipients };
}

function whatOfRecipients(
  outcome: Exclude<FilterOutcome, { readonly outcome: 'error' }>,
  attempt: Attempt,
): SystemFiltered['recipients'] {
  if (outcome.outcome === 'freeze') {
    attempt.frozenBy = ` by the system filter${outcome.message === '' ? '' : `: ${outcome.message}`}`;
    return 'held';
  }
  if (outcome.outcome === 'fail') {
    cancel(outcome.message, attempt);
    return 'failed';
  }
  if (!outcome.significant) return 'go on';
  const isNothing = outcome.actions.length === 0;
  attempt.log(isNothing ? '=> discarded (system filter)' : 'original recipients ignored (system filter)');
  attempt.recipientsReplaced = true;
  return 'replaced';
}

/** All recipients fail. A text between `<<` and `>>` in front is for the log, and what follows for the sender. */
function cancel(text: string, attempt: Attempt): void {
  const [, forLog = text, forSender = text] = /^<<(.*?)>>(.*)$/s.exec(text) ?? [];
  attempt.cancel(
    `cancelled by system filter${forLog === '' ? '' : `: ${forLog}`}`,
    forSender === '' ? 'delivery cancelled' : forSender,
  );
}
