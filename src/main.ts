/**
 * Where the program starts. `bin/tabella` hands over the program's directory, the name it was called by, and the words
 * of the command line.
 */

import { exim } from './cli/exim.ts';
import { reviewed } from './safe/taint.ts';

const [, script = '', directory = '/', calledAs = 'exim', ...words] = process.argv;

/** Words come as the octets that were typed; byte strings hold one character for each. */
const octets = (word: string): string => Buffer.from(word, 'utf8').toString('latin1');

process.exitCode = await exim(
  reviewed(directory, 'where the program lies, from the script that starts it'),
  calledAs,
  words.map(octets),
  {
    program: reviewed(process.execPath, 'the run-time that runs us'),
    args: [...process.execArgv, script, directory, calledAs].map((word) => reviewed(word, 'how we were started')),
  },
);
