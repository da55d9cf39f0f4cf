/**
 * The commands of Sieve (RFC 5228 §3, §4), one row each. As in Exim a command is run when it is read, so that what stands
 * before a mistake was done; in a block that is not run, commands are read all the same.
 */

import { parseAddress } from '../../mail/address.ts';
import { Text } from '../../safe/taint.ts';
import { notify } from './notify.ts';
import type { SieveState } from './state.ts';
import { readTest } from './tests.ts';
import { vacation } from './vacation.ts';

/** `stop`: nothing further is read. */
type Ending = 'stopped' | undefined;
type Command = (state: SieveState, isRun: boolean) => Ending;

/** The folder that a message is kept in: what the transport makes of it is its own affair. */
const inbox = Text.configured('inbox');

/** Files the message. @throws SieveMistake */
function fileInto(state: SieveState, folder: Text): void {
  state.deliver('fileinto', folder.value, { kind: 'file', text: folder });
}

/** Keeps the message: it goes to the standard mailbox. @throws SieveMistake */
export function keepMessage(state: SieveState): void {
  state.keeps = false;
  fileInto(state, inbox);
}

/** The tag `:copy` (RFC 3894), which leaves open whether the message is kept. @throws SieveMistake */
function takeCopy(state: SieveState): boolean {
  const { reader } = state;
  let found = false;
  for (;;) {
    reader.skip();
    if (reader.takeTag(['copy']) === undefined) return found;
    state.require('copy');
    found = true;
  }
}

const fileinto: Command = (state, isRun) => {
  const { reader } = state;
  state.require('fileinto');
  const isCopy = takeCopy(state);
  const folder = reader.requiredString('missing fileinto folder string');
  if (folder === '' || /(?:^|\/)\.\.(?:\/|$)/.test(folder)) throw reader.mistake('invalid folder');
  if (isRun) {
    fileInto(state, Text.derived(folder, state.request.text));
    if (!isCopy) state.keeps = false;
  }
  reader.semicolon();
  return undefined;
};

const redirect: Command = (state, isRun) => {
  const { reader } = state;
  const isCopy = takeCopy(state);
  const recipient = reader.requiredString('missing redirect recipient string');
  if (!recipient.includes('@')) throw reader.mistake('unqualified recipient address');
  const parsed = parseAddress(recipient, { allowDomainLiterals: true });
  const problem = 'error' in parsed ? parsed.error : 'control character';
  if ('error' in parsed || /[\x00-\x1f\x7f]/.test(parsed.address)) {
    throw reader.mistake(`malformed address "${recipient}" (${problem})`);
  }
  if (isRun) {
    state.deliver('redirect', recipient, { kind: 'address', text: Text.derived(parsed.address, state.request.text) });
    if (!isCopy) state.keeps = false;
  }
  reader.semicolon();
  return undefined;
};

/** A command of one word. */
const plain =
  (act: (state: SieveState) => Ending): Command =>
  (state, isRun) => {
    state.reader.semicolon();
    return isRun ? act(state) : undefined;
  };

function readBlock(state: SieveState, isRun: boolean): Ending {
  const { reader } = state;
  reader.skip();
  if (!reader.take('{')) throw reader.mistake('missing block');
  const ending = state.deeper(() => readCommands(state, isRun));
  if (ending !== undefined) return ending;
  if (!reader.take('}')) throw reader.mistake('expecting command or closing brace');
  return undefined;
}

const ifCommand: Command = (state, isRun) => {
  const { reader } = state;
  let isDone = !isRun;
  let word = 'if';
  do {
    const result = readTest(state, !isDone);
    if (isRun) state.explain(`${word} ${result}`);
    const ending = readBlock(state, !isDone && result);
    if (ending !== undefined) return ending;
    isDone ||= result;
    reader.skip();
    word = 'elsif';
  } while (reader.takeWord(word));
  return reader.takeWord('else') ? readBlock(state, !isDone) : undefined;
};

const commands: ReadonlyMap<string, Command> = new Map<string, Command>([
  [
    'discard',
    plain((state) => {
      state.keeps = false;
      return undefined;
    }),
  ],
  ['fileinto', fileinto],
  ['if', ifCommand],
  [
    'keep',
    plain((state) => {
      keepMessage(state);
      return undefined;
    }),
  ],
  ['notify', notify],
  ['redirect', redirect],
  ['stop', plain(() => 'stopped')],
  ['vacation', vacation],
]);

/** Reads commands as long as there are some. @throws SieveMistake */
export function readCommands(state: SieveState, isRun: boolean): Ending {
  const { reader } = state;
  for (;;) {
    reader.skip();
    const name = reader.nextWord;
    const command = name === undefined ? undefined : commands.get(name);
    if (name === undefined || command === undefined) return undefined;
    reader.takeWord(name);
    const ending = command(state, isRun);
    if (ending !== undefined) return ending;
  }
}
