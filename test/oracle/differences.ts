/**
 * What differs from the real Exim on purpose, as data: the same list stands in docs/compatibility.md with more words. A
 * row says which pairs it is good for as narrowly as can be told from input and outputs.
 */

import type { Pair } from './compare.ts';

/** Options that Debian's build lacks, so that the real one does not know them. */
export const otherBuilds: ReadonlySet<string> = new Set([
  ...['allow_insecure_tainted_data', 'disable_fsync', 'dmarc_forensic_sender', 'dmarc_history_file', 'dmarc_tld_file'],
  ...['ibase_servers', 'oracle_servers', 'tcp_wrappers_daemon_name', 'translate_ip_address'],
  ...['redis_servers', 'arc_sign', 'use_classresources'],
]);

interface Difference {
  readonly subjects: readonly string[];
  readonly why: string;
  applies(input: string, real: string, ours: string): boolean;
}

/** Mistakes that the notation alone shows. */
const ofNotation =
  /^Failed: (?:missing|unknown|curly-bracket|too (?:few|many)|not enough|syntax error|condition name expected|.*is not a known operator|.*expected|each subcondition|mi[ns]|\$ not followed|bad option|letter or digit|variable name omitted)/i;
/** Mistakes that a constant text shows, even where its value is not needed. */
const ofConstants =
  /^Failed: (?:unrecognised boolean|first argument of "|regular expression error|".*" is not a (?:positive )?number|unknown lookup|missing \{key\}|a single key|IMAP folder|integer expected|error in expression|string "|argument for base|invalid|hmac algorithm|comparator not handled|stat\(|"[^"]*" is not a hex string|.* inside "|unable to complete match)/s;

const differences: readonly Difference[] = [
  {
    subjects: ['routing'],
    why: 'a redirection to a file or pipe without a transport for it defers at the address itself',
    applies: (_, real) => real.includes('*** Error in setting up pipe, file, or autoreply'),
  },
  {
    subjects: ['routing'],
    why: 'the real one ends at a mistake in a list',
    applies: (_, real) => real === 'status 1',
  },
  {
    subjects: ['routing'],
    why: 'a refusal of tainted text tells the remedy',
    applies: (_, real, ours) => real.includes('Tainted') && ours.includes('use $local_part_data'),
  },
  {
    subjects: ['options'],
    why: 'the public name of a tls authenticator stays as it was set',
    applies: (input, real) => input.includes('driver = tls') && /public_name = a0|^a0$/m.test(real),
  },
  {
    subjects: ['options'],
    why: 'settings that are looked at only when all else is right',
    applies: (_, real, ours) =>
      /failed to interpret|malformed log_selector|unknown log_selector|using GnuTLS/.test(real) &&
      /status 1 /.test(ours),
  },
  {
    subjects: ['options'],
    why: 'the words that can stand there are named',
    applies: (_, real, ours) => real.includes('unrecognized setting for') && ours.includes('is not a valid value'),
  },
  {
    subjects: ['options'],
    why: 'the name of a user is shown as it was written',
    applies: (_, real, ours) => [real, ours].every((text) => /(?:user|group) .* was not found$/s.test(text)),
  },
  {
    subjects: ['options'],
    why: 'there is no saslauthd, which the real one asks for mechanisms when it reads',
    applies: (input, real) => input.includes('cyrus_sasl') && real.includes('Cyrus SASL mechanism list'),
  },
  {
    subjects: ['options'],
    why: 'a line without a name is that of translate_ip_address, which the real one lacks here',
    applies: (input, real, ours) => /^-n .*router/.test(input) && ours.replace(/(\nfreeze\n)\n/, '$1') === real,
  },
  {
    subjects: ['options'],
    why: 'the transport is named in front of the mistake',
    applies: (_, real) => real.includes('one (and only one) of command or socket must be set'),
  },
  {
    subjects: ['lists'],
    why: 'a newline as the separator of a list that is expanded first',
    applies: (input) => /match_ip.*<\\n/.test(input),
  },
  {
    subjects: ['expansions'],
    why: 'words of libraries for text that cannot be converted',
    applies: (_, real, ours) =>
      [real, ours].every((text) => /^Failed: (?:error converting|imapfolder: iconv)/.test(text)),
  },
  {
    subjects: ['expansions'],
    why: 'an ACL is named in full',
    applies: (_, real, ours) => [real, ours].every((text) => text.startsWith('Failed: ERROR from acl')),
  },
  {
    subjects: ['expansions'],
    why: 'the word fail without a string before it is a mistake even where it is not needed',
    applies: (input, _, ours) => /extract.*fail/s.test(input) && ours.startsWith('Failed: curly-bracket'),
  },
  {
    subjects: ['lists'],
    why: 'an IPv4 address in the form of IPv6 is looked up as an IPv4 address',
    applies: (input) => /match_ip\{::ffff:/.test(input),
  },
  {
    subjects: ['expansions'],
    why: 'how many arguments prvscheck takes depends in the real one on the address',
    applies: (_, real, ours) => [real, ours].every((text) => text.includes("arguments for 'prvscheck' (max is")),
  },
  {
    subjects: ['lists'],
    why: 'an unknown named list is named; the real one shows an earlier error',
    applies: (_, real, ours) => /unable to complete match/.test(real) && /unknown named|failed to expand/.test(ours),
  },
  {
    subjects: ['lists'],
    why: 'an item that excludes or does not match leaves no value',
    applies: (input, real, ours) =>
      (/^yes v=/.test(real) && /^yes v= 0= 1= /.test(ours)) ||
      (/acl\{hosts/.test(input) && real.split('|')[0] === ours.split('|')[0]),
  },
  {
    subjects: ['lists'],
    why: 'captures of a pattern in a table that was searched before',
    applies: (input, real, ours) =>
      input.includes('wildlsearch') && real.replace(/0=\S*/, '') === ours.replace(/0=\S*/, ''),
  },
  {
    subjects: ['acls'],
    why: 'the string that cannot be expanded is named, and not the ACL that was called before',
    applies: (_, real, ours) => withoutStrings(real) === withoutStrings(ours) && ours.includes('ACL string'),
  },
  {
    subjects: ['lists'],
    why: 'it is told which name server did not answer, and how',
    applies: (_, real, ours) => /DNS lookup of .* deferred/.test(real) && /DNS lookup of/.test(ours),
  },
  {
    subjects: ['expansions', 'lists'],
    why: 'our failure is told where the real one has no words, or NULL',
    applies: (_, real) => /^Failed: (?:$|.*NULL|.*: $)/s.test(real),
  },
  {
    subjects: ['expansions'],
    why: 'a mistake in constant text that is not needed is not seen',
    applies: (_, real) => ofConstants.test(real),
  },
  {
    subjects: ['expansions'],
    why: 'of two mistakes the one in the notation is told',
    applies: (_, real, ours) =>
      [real, ours].every((text) => text.startsWith('Failed:')) && [real, ours].some((text) => ofNotation.test(text)),
  },
  {
    subjects: ['expansions'],
    why: 'values left behind by a failure or an earlier line',
    applies: (input) => /\$(?:item|value|runrc|lookup_dnssec|\{?\d)/.test(input) || /reduce.*reduce/.test(input),
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
    why: 'what comes from -oM or from an ACL is tainted',
    applies: (input, _, ours) =>
      /tainted/i.test(ours) &&
      /\$\{?(?:acl|authresults|sender_|if acl|received_|return_|reply_|message_body|authenticated_)/.test(input),
  },
  {
    subjects: ['expansions'],
    why: 'readsocket tells why it could not connect',
    applies: (input) => input.includes('readsocket'),
  },
  {
    subjects: ['expansions'],
    why: 'a name without a slash is looked for where the caller is, not in the spool',
    applies: (_, real, ours) => /^Failed: failed to open/.test(real) && /^Failed: failed to open/.test(ours),
  },
  {
    subjects: ['expansions'],
    why: 'NUL ends a string in C',
    applies: (input, _, ours) =>
      /\\(?:0|x00|x$|N\\0)/.test(input) || ours.includes('\0') || /expand:.*\\\\\$/s.test(input),
  },
  {
    subjects: ['mime'],
    why: 'padding amid base64 gives what is left of other decoding',
    applies: (_, real, ours) => withoutBase64(real) === withoutBase64(ours),
  },
];

const withoutStrings = (text: string): string => text.replace(/ACL string "[^\n]*?":/g, 'ACL string:');
const withoutBase64 = (parts: string): string => parts.replaceAll(/(<base64> .*) <.*>$/gm, '$1');

/** Why a pair may differ. A program that died is a reason when it is the real one. */
export function reasonFor(subject: string, { input, real, ours }: Pair): string | undefined {
  if (ours === undefined) return undefined;
  if (real === undefined) return 'the real one dies';
  return differences.find((each) => each.subjects.includes(subject) && each.applies(input, real, ours))?.why;
}
