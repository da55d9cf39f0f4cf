/**
 * What differs from the real Exim on purpose, as data: the same list stands in docs/compatibility.md with more words. A
 * row says which pairs it is good for as narrowly as can be told from input and outputs.
 */

import type { Pair } from './compare.ts';

interface Difference {
  readonly subjects: readonly string[];
  readonly why: string;
  applies(input: string, real: string, ours: string): boolean;
}

/** Mistakes that the notation alone shows. */
const ofNotation =
  /^Failed: (?:missing|unknown|curly-bracket|too (?:few|many)|not enough|syntax error|condition name expected|.*is not a known operator|.*expected|each subcondition|mi[ns]|\$ not followed|bad option|letter or digit)/i;
/** Mistakes that a constant text shows, even where its value is not needed. */
const ofConstants =
  /^Failed: (?:unrecognised boolean|first argument of "|regular expression error|".*" is not a (?:positive )?number|unknown lookup|missing \{key\}|a single key|IMAP folder|integer expected|error in expression|string "|argument for base|invalid|hmac algorithm|.* inside "|unable to complete match)/s;

const differences: readonly Difference[] = [
  {
    subjects: ['expansions'],
    why: 'our failure is told where the real one has no words, or NULL',
    applies: (_, real, ours) => /^Failed: (?:$|.*NULL|.*: $)/.test(real) && ours.startsWith('Failed:'),
  },
  {
    subjects: ['expansions'],
    why: 'a mistake in constant text that is not needed is not seen',
    applies: (_, real) => ofConstants.test(real),
  },
  {
    subjects: ['expansions'],
    why: 'of two mistakes the one in the notation is told',
    applies: (_, real, ours) => real.startsWith('Failed:') && ofNotation.test(ours),
  },
  {
    subjects: ['expansions'],
    why: 'values left behind by a failure or an earlier line',
    applies: (input) => /\$(?:item|value|runrc|\{?\d)/.test(input) || /reduce.*reduce/.test(input),
  },
  { subjects: ['expansions'], why: 'commas within JSON strings', applies: (input) => input.includes('json') },
  {
    subjects: ['expansions'],
    why: 'state of an earlier line',
    applies: (input) => /(?:addresses|address|domain|local_part):[^}]*;/.test(input),
  },
  { subjects: ['expansions'], why: 'ipv6norm ends the line', applies: (input) => input.includes('ipv6norm') },
  {
    subjects: ['expansions'],
    why: 'PAM is not asked',
    applies: (_, _real, ours) => ours.includes('this version does not ask PAM'),
  },
  {
    subjects: ['expansions'],
    why: 'no functions in C, no certificates to take apart',
    applies: (input) => /\$\{(?:dlfunc|certextract)/.test(input),
  },
  {
    subjects: ['expansions'],
    why: '-be knows the name of the host that -oM gave also in variables made of it',
    applies: (input) => /\$\{?(?:sender_fullhost|sender_rcvhost)/.test(input),
  },
  {
    subjects: ['expansions'],
    why: 'what comes from -oM or from an ACL is tainted',
    applies: (input, _, ours) => /tainted/i.test(ours) && /\$\{?(?:acl|authresults|sender_host|if acl)/.test(input),
  },
  {
    subjects: ['expansions'],
    why: 'NUL ends a string in C',
    applies: (input, _, ours) => /\\(?:0|x00|x$|N\\0)/.test(input) || ours.includes('\0'),
  },
];

/** Why a pair may differ. A program that died is a reason when it is the real one. */
export function reasonFor(subject: string, { input, real, ours }: Pair): string | undefined {
  if (ours === undefined) return undefined;
  if (real === undefined) return 'the real one dies';
  return differences.find((each) => each.subjects.includes(subject) && each.applies(input, real, ours))?.why;
}
