/** Carries out the commands of a filter (Exim's filter specification 3.9 - 3.21). A test only tells of them. */

import { printing } from '../lib/escapes.ts';
import { lower } from '../lib/octets.ts';
import { parseAddress } from '../mail/address.ts';
import { clean, concat, literal, type Piece, Text } from '../safe/taint.ts';
import { isTrue } from './exim-conditions.ts';
import { tellerOf } from './exim-explain.ts';
import { writeLog } from './exim-log.ts';
import { runMail } from './exim-mail.ts';
import { readNumber } from './exim-number.ts';
import { FilterMistake } from './exim-reader.ts';
import type { FilterState } from './exim-state.ts';
import type { Command, FilterCommand } from './exim-tree.ts';
import { changedHeaders } from './header-change.ts';

/** Why the commands behind this one are not looked at. */
export type Ended = { readonly by: 'finish' } | { readonly by: 'defer' | 'fail' | 'freeze'; readonly message: string };

type Of<K extends FilterCommand['kind']> = Command & { readonly kind: K };
type Runners = {
  readonly [K in FilterCommand['kind']]: (
    command: Of<K>,
    state: FilterState,
    depth: number,
  ) => Promise<Ended | undefined> | Promise<void>;
};

const octal = (mode: number): string => mode.toString(8).padStart(4, '0');
const errors = (noError: boolean): string => (noError ? ' (noerror)' : '');

/** Text as a test shows it. */
function shown(text: string, state: FilterState): string {
  // a tab is shown as it is
  const topBit = state.request.context.settings.printTopBitCharacters;
  return printing(text, topBit).replace(/\\t/g, (found, at: number, whole: string) =>
    /(?:^|[^\\])(?:\\\\)*$/.test(whole.slice(0, at)) ? '\t' : found,
  );
}

async function add({ number, variable }: Of<'add'>, state: FilterState): Promise<void> {
  const amount = (await state.expand(number, 'add')).value;
  const name = (await state.expand(variable, 'add')).value;
  const place = /^n([0-9])$/.exec(name)?.[1];
  if (place === undefined) throw new FilterMistake(`unknown variable "${name}" in "add" command`);
  const read = readNumber(amount);
  if (read === undefined || read.rest !== '') throw new FilterMistake(`malformed number "${amount}" in "add" command`);
  state.print(`Add ${read.value} to ${name}\n`);
  const { numbers } = state.facts;
  numbers[Number(place)] = ((numbers[Number(place)] ?? 0) + read.value) | 0;
}

/** An address with a domain. @throws FilterMistake */
function addressIn(text: Text, state: FilterState): Text {
  const { allowUtf8Domains: utf8Domain } = state.request.context.settings;
  const parsed = parseAddress(text.value, { allowDomainLiterals: 'any', utf8Domain });
  if ('error' in parsed) throw new FilterMistake(`malformed address "${text.value}" in filter file: ${parsed.error}`);
  const { qualifyDomain } = state.request;
  return Text.derived(parsed.domain === undefined ? `${parsed.address}@${qualifyDomain}` : parsed.address, text);
}

async function deliver({ address, errorsTo, seen, noError }: Of<'deliver'>, state: FilterState): Promise<void> {
  const { request } = state;
  const to = await state.expand(address, 'deliver');
  const back = errorsTo && (await state.expand(errorsTo, 'deliver'));
  const found = addressIn(to, state);
  const errorsAddress = back && errorsToOf(back, state);
  const isSeen = seen ?? true;
  if (request.test === undefined) {
    state.actions.push({ kind: 'address', text: found, errorsTo: errorsAddress, noError });
  } else {
    const errorsPart = errorsAddress === undefined ? '' : ` errors_to ${errorsAddress}`;
    state.print(`${isSeen ? 'D' : 'Unseen d'}eliver message to: ${found.value}${errors(noError)}${errorsPart}\n`);
  }
}

/** Only a system filter may send errors to anybody else than the address it is for. */
function errorsToOf(text: Text, state: FilterState): string {
  const { isSystem, ownAddresses } = state.request;
  const address = text.value === '' || text.value === '<>' ? '' : addressIn(text, state).value;
  if (!isSystem && lower(address) !== lower(ownAddresses[0] ?? '')) {
    throw new FilterMistake("errors_to must point to the caller's address");
  }
  return address;
}

/**
 * A name for a file that holds text of the message. As in Exim, the filter vouches for it; but what comes from the message
 * may name no other directory than the filter did.
 */
function harmless(name: Text): Text {
  const leads = ({ value, taint }: Piece): boolean => taint !== 'clean' && /[/\0]/.test(value);
  if (name.isClean || name.pieces.some(leads) || /(?:^|\/)\.\.?(?:\/|$)/.test(name.value)) return name;
  return Text.vouched(name.value);
}

async function save({ file, mode, seen, noError }: Of<'save'>, state: FilterState): Promise<void> {
  const { request } = state;
  const named = await state.expand(file, 'save');
  const isSeen = seen ?? true;
  if (request.test === undefined) {
    const { home } = request.context.address ?? {};
    const isRelative = !named.value.startsWith('/') && request.prependHome;
    const slash = Text.configured('/');
    const text = isRelative && home !== undefined && home.value !== '' ? Text.join([home, slash, named]) : named;
    state.actions.push({ kind: 'file', text: harmless(text), mode, noError });
  } else {
    const modePart = mode === undefined ? '' : ` ${octal(mode)}`;
    state.print(`${isSeen ? 'S' : 'Unseen s'}ave message to: ${named.value}${modePart}${errors(noError)}\n`);
  }
}

async function pipe({ command, seen, noError }: Of<'pipe'>, state: FilterState): Promise<void> {
  const { request, facts } = state;
  const isSeen = seen ?? true;
  if (request.test === undefined) {
    state.actions.push({
      kind: 'pipe',
      text: command,
      captures: request.context.results.numeric.map(({ value }) => value),
      thisAddress: facts.thisAddress.value,
      noError,
    });
  } else {
    state.print(`${isSeen ? 'P' : 'Unseen p'}ipe message to: ${command.value}${errors(noError)}\n`);
  }
}

async function logfile({ file, mode, seen }: Of<'logfile'>, state: FilterState): Promise<void> {
  const named = await state.expand(file, 'logfile');
  if (state.request.test !== undefined) {
    state.print(`${seen ? 'Seen l' : 'L'}ogfile ${named.value}\n`);
    return;
  }
  const path = clean(named);
  if (path === undefined) throw new FilterMistake(`Tainted name '${named.value}' for filter log file not permitted`);
  state.log = { path: path.startsWith('/') ? path : concat(literal('/'), path), mode: mode ?? 0 };
}

async function logwrite({ text, seen }: Of<'logwrite'>, state: FilterState): Promise<void> {
  const { value } = await state.expand(text, 'logwrite');
  const line = value.endsWith('\n') ? value : `${value}\n`;
  if (state.request.test === undefined) await writeLog(line, state);
  else state.print(`${seen ? 'Seen l' : 'L'}ogwrite "${shown(line, state)}"\n`);
}

async function headers({ what, value }: Of<'headers'>, state: FilterState): Promise<void> {
  const text = (await state.expand(value, 'headers')).value;
  state.print(`Headers ${what} "${shown(text, state)}"\n`);
  if (what === 'charset') {
    state.facts.charset = text;
    return;
  }
  const change = what === 'add' ? { kind: what, text } : { kind: what, names: text };
  state.headers.push(change);
  const { message } = state.request.context;
  if (message !== undefined)
    message.headers = changedHeaders(message.headers, change).filter(({ type }) => type !== '*');
}

const endings = { defer: 'Defer', fail: 'Fail', freeze: 'Freeze' } as const;

async function end({ kind, text }: Of<'defer' | 'fail' | 'freeze'>, state: FilterState): Promise<Ended> {
  const message = (await state.expand(text, kind)).value;
  const { manuallyThawed } = state.request;
  // somebody let the message go: as in Exim, the filter ends here all the same
  if (kind === 'freeze' && manuallyThawed) return { by: 'finish' };
  state.print(`${endings[kind]} text "${shown(message, state)}"\n`);
  return { by: kind, message };
}

async function finish({ seen }: Of<'finish'>, state: FilterState): Promise<Ended> {
  state.print(`${seen ? 'Seen f' : 'F'}inish\n`);
  return { by: 'finish' };
}

async function testprint({ text }: Of<'testprint'>, state: FilterState): Promise<void> {
  const { value } = await state.expand(text, 'testprint');
  state.print(`Testprint: ${shown(value, state)}\n`);
}

/**
 * The first branch whose condition is true; `$thisaddress` is put back behind it. An `elif` counts as one more `if`
 * within the first.
 */
async function choose(
  { branches, otherwise }: Of<'if'>,
  state: FilterState,
  depth: number,
): Promise<Ended | undefined> {
  const { facts } = state;
  const { thisAddress } = facts;
  let chosen = otherwise;
  let within = depth;
  for (const { condition, commands } of branches) {
    const holds = await isTrue(condition, state, tellerOf(condition, state, within++));
    if (!holds) continue;
    chosen = commands;
    break;
  }
  const ended = await runCommands(chosen, state, within);
  facts.thisAddress = thisAddress;
  return ended;
}

const runners: Runners = {
  add,
  deliver,
  save,
  pipe,
  mail: runMail,
  vacation: runMail,
  logfile,
  logwrite,
  testprint,
  headers,
  defer: end,
  fail: end,
  freeze: end,
  finish,
  if: choose,
};

/** Commands that are significant unless `unseen` stands before them. */
const isSeenByItself: ReadonlySet<FilterCommand['kind']> = new Set(['deliver', 'save', 'pipe']);

/** One after the other, until one ends the filter. @throws FilterMistake */
export async function runCommands(
  commands: readonly Command[],
  state: FilterState,
  depth = 0,
): Promise<Ended | undefined> {
  for (const command of commands) {
    state.step();
    const run = runners[command.kind] as (of: Command, state: FilterState, depth: number) => Promise<Ended | undefined>;
    const ended = await run(command, state, depth);
    if (command.seen ?? isSeenByItself.has(command.kind)) state.significant = true;
    if (ended !== undefined) return ended;
  }
  return undefined;
}
