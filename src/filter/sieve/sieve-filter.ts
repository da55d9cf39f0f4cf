/**
 * Runs a filter in Sieve (RFC 5228 with extensions; Exim's filter specification 2). A mistake in it is no reason to hold
 * a message back: what was done before it stays done, and the message is kept.
 */

import type { Template } from '../../expand/expand.ts';
import type { Text } from '../../safe/taint.ts';
import type { FilterRequest } from '../filter.ts';
import type { FilterOutcome } from '../filter-outcome.ts';
import { sieveCapabilities } from './capabilities.ts';
import { keepMessage, readCommands } from './commands.ts';
import { SieveMistake, SieveReader } from './reader.ts';
import { type SieveFacts, SieveState } from './state.ts';

/** Comparators that need not be required, but may be. */
const builtIn = ['comparator-i;octet', 'comparator-i;ascii-casemap', 'comparator-en;ascii-casemap'];
const known: ReadonlySet<string> = new Set([...sieveCapabilities, ...builtIn]);

class FailedExpansion extends Error {}

async function expanded(
  request: FilterRequest,
  template: Template | undefined,
  option: string,
): Promise<Text | undefined> {
  if (template === undefined) return undefined;
  const expansion = await template.expand(request.context);
  if (expansion.ok) return expansion.text;
  throw new FailedExpansion(`failed to expand "${template.source}" (${option}): ${expansion.message}`);
}

async function factsOf(request: FilterRequest): Promise<SieveFacts> {
  const { sieve } = request;
  return {
    userAddress: (await expanded(request, sieve?.userAddress, 'sieve_useraddress'))?.value,
    subaddress: (await expanded(request, sieve?.subaddress, 'sieve_subaddress'))?.value,
    vacationDirectory: await expanded(request, sieve?.vacationDirectory, 'sieve_vacation_directory'),
    enotifyMailtoOwner: (await expanded(request, sieve?.enotifyMailtoOwner, 'sieve_enotify_mailto_owner'))?.value,
  };
}

/** As in Exim, nothing may stand between the end of one `require` and the next. @throws SieveMistake */
function readRequires(state: SieveState): void {
  const { reader, facts, request } = state;
  reader.skip();
  while (reader.takeWord('require')) {
    for (const name of reader.stringList('capability string list expected')) {
      if (!known.has(name)) throw reader.mistake('unknown capability');
      if (name === 'enotify' && facts.enotifyMailtoOwner === undefined) throw reader.mistake('enotify disabled');
      if (name === 'vacation' && request.test === undefined && facts.vacationDirectory === undefined) {
        throw reader.mistake('vacation disabled');
      }
      state.capabilities.add(name);
      if (name === 'encoded-character') reader.encodedCharacters = true;
    }
    reader.semicolon();
  }
}

/** @throws SieveMistake */
function run(state: SieveState): void {
  readRequires(state);
  const ending = readCommands(state, true);
  if (ending === undefined && !state.reader.atEnd) throw state.reader.mistake('syntax error');
}

export async function runSieveFilter(request: FilterRequest): Promise<FilterOutcome> {
  let facts: SieveFacts;
  try {
    facts = await factsOf(request);
  } catch (error) {
    if (error instanceof FailedExpansion) return { outcome: 'error', message: error.message };
    throw error;
  }
  const state = new SieveState(request, new SieveReader(request.text.value), facts);
  let mistake: string | undefined;
  try {
    run(state);
  } catch (error) {
    if (!(error instanceof SieveMistake)) throw error;
    mistake = error.message;
  }
  const isImplicit = state.keeps;
  if (isImplicit || mistake !== undefined) keepMessage(state);
  const said = mistake !== undefined ? `Sieve error: ${mistake}` : isImplicit ? 'Implicit keep' : 'No implicit keep';
  request.test?.print(`${said}\n`);
  const { actions, notices } = state;
  return { outcome: 'done', significant: true, actions, headers: [], notices };
}
