/**
 * Where the program starts. `bin/tabella` hands over the program's directory, the name it was called by, and the words
 * of the command line.
 */

import { program } from './cli/program.ts';
import { reviewed } from './safe/taint.ts';

const [, script = '', directory = '/', calledAs = 'exim', ...words] = process.argv;

/** Words come as the octets that were typed; byte strings hold one character for each. */
const octets = (word: string): string => Buffer.from(word, 'utf8').toString('latin1');

// all is done: to take the heap apart would take longer than most commands do
process.once('beforeExit', () => process.exit());

void program({
  directory: reviewed(
    directory.replace(/\/[^/]+\/\.\.$/, ''),
    'where the program lies, from the script that starts it',
  ),
  calledAs,
  words: words.map(octets),
  self: {
    program: reviewed(process.execPath, 'the run-time that runs us'),
    args: [...process.execArgv, script, directory, calledAs].map((word) => reviewed(word, 'how we were started')),
  },
}).then((status) => {
  process.exitCode = status;
});
