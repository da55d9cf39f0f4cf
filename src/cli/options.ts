/** Exim's command line as one table (Exim spec 5.3): how each option is written, what it takes, what it asks for. */

import { parseInterval } from '../lib/intervals.ts';
import { parseEndpoint } from '../net/address.ts';
import { queueId, queueName } from '../safe/taint.ts';
import { type Action, emptyInvocation, type Invocation, type MessageAction, type Origin } from './invocation.ts';

/** The command line makes no sense. */
export class UsageError extends Error {}

/** A word of it can be no option at all, or no address. */
export class Abandoned extends UsageError {}

const notAnOption = (word: string): Abandoned =>
  new Abandoned(`abandoned: unknown, malformed, or incomplete option ${word}`);

/**
 * `nothing`: the word alone. `attached`: the rest of the word, perhaps empty. `next`: the next word. `either`: the rest
 * of the word or, if that is empty, the next word.
 */
type Takes = 'nothing' | 'attached' | 'next' | 'either';

export interface OptionRow {
  readonly option: string;
  readonly takes: Takes;
  readonly doc: string;
  /** What is said when no word follows. */
  readonly expected?: string;
  /** `word` is the value's own word on the command line, for complaints. */
  apply(invocation: Invocation, value: string, word: string): void;
}

const row = (option: string, takes: Takes, doc: string, apply: OptionRow['apply'], expected?: string): OptionRow => ({
  option,
  takes,
  doc,
  apply,
  ...(expected === undefined ? {} : { expected }),
});

const ignored = (option: string, takes: Takes = 'nothing', expected?: string): OptionRow =>
  row(option, takes, 'Accepted for compatibility with Sendmail; has no effect.', () => undefined, expected);

const action = (option: string, wanted: Action, doc: string): OptionRow =>
  row(option, 'nothing', doc, (invocation) => {
    setAction(invocation, wanted);
  });

/** Of these pairs the first counts, whatever comes first on the command line. */
const prevailing: ReadonlySet<string> = new Set<`${Action}, ${Action}`>([
  'list queue, count queue',
  'list queue, test address',
  'list queue, queue run',
  ...(['list queue', 'count queue'] as const).flatMap((one) =>
    (['smtp', 'batch smtp', 'expand', 'rebuild aliases'] as const).map((other) => `${one}, ${other}` as const),
  ),
  ...(['expand', 'test rewrite', 'fake smtp', 'version'] as const).flatMap((one) =>
    (['smtp', 'batch smtp'] as const).map((other) => `${one}, ${other}` as const),
  ),
  'smtp, receive',
  'batch smtp, receive',
  'count queue, queue run',
  'messages, queue run',
  'test address, expand',
]);

function setAction(invocation: Invocation, wanted: Action): void {
  const { action: given } = invocation;
  if (given === undefined || given === wanted || prevailing.has(`${wanted}, ${given}`)) invocation.action = wanted;
  else if (!prevailing.has(`${given}, ${wanted}`)) {
    throw new UsageError('incompatible command-line options or arguments');
  }
}

const message = (option: string, wanted: MessageAction, doc: string): OptionRow =>
  row(option, 'nothing', doc, (invocation) => {
    setAction(invocation, 'messages');
    invocation.messageAction = wanted;
  });

const origin = (
  option: string,
  name: keyof Origin,
  doc: string,
  check: (value: string) => void = () => undefined,
): OptionRow =>
  row(
    option,
    'next',
    doc,
    (invocation, value) => {
      check(value);
      invocation.origin[name] = value;
    },
    `data expected after ${option}`,
  );

function mustBeEndpoint(value: string): void {
  if (parseEndpoint(value) === undefined) throw new Abandoned(`abandoned: "${value}" is not an IP address`);
}

function mustBeMessageId(value: string): void {
  if (queueId(value) === undefined) throw new BadReference();
}

/** What stands behind `-oMm` is no message id; Exim tells that without its name. */
export class BadReference extends UsageError {
  constructor() {
    super('-oMm must be a valid message ID');
  }
}

/** `-L` */
const longestSyslogName = 32;

function interval(value: string, word: string): number {
  const seconds = parseInterval(value);
  if (seconds === undefined) throw new UsageError(`bad time value ${word}: abandoned`);
  return seconds;
}

const delivery = (option: string, how: NonNullable<Invocation['delivery']>, doc: string): OptionRow =>
  row(option, 'nothing', doc, (invocation) => {
    invocation.delivery = how;
  });

const errors = (option: string, how: Invocation['errorMode'], doc: string): OptionRow =>
  row(option, 'nothing', doc, (invocation) => {
    invocation.errorMode = how;
  });

const filterFile = (option: string, whose: 'user' | 'system', doc: string): OptionRow =>
  row(
    option,
    'next',
    doc,
    (invocation, value) => {
      setAction(invocation, 'test filter');
      invocation.filterTest[whose] = value;
    },
    `file name expected after ${option}`,
  );

const filterAddress = (option: string, part: 'domain' | 'localPart' | 'prefix' | 'suffix', doc: string): OptionRow =>
  row(
    option,
    'next',
    doc,
    (invocation, value) => {
      invocation.filterTest[part] = value;
    },
    `string expected after ${option}`,
  );

const list = (option: string, sorted: boolean, all: boolean, undelivered: boolean, doc: string): OptionRow =>
  row(option, 'nothing', doc, (invocation) => {
    setAction(invocation, 'list queue');
    Object.assign(invocation.queueList, { sorted, all, undelivered });
  });

function defineMacro(invocation: Invocation, value: string): void {
  if (!/^[ \t]*[A-Z]/.test(value)) throw new UsageError('macro name set by -D must start with an upper case letter');
  const found = /^[ \t]*([A-Z][A-Za-z0-9_]*)[ \t]*(?:=[ \t]*(.*))?$/s.exec(value);
  if (found === null) throw notAnOption(`-D${value}`);
  if (invocation.macros.has(found[1] ?? '')) throw new UsageError('duplicated -D in command line');
  if (invocation.macros.size >= 100) throw new UsageError('too many -D options');
  invocation.macros.set(found[1] ?? '', found[2] ?? '');
}

/** For these `-qG` says which queue they are about. */
const onQueue: ReadonlySet<Action> = new Set<Action>(['list queue', 'count queue', 'messages']);

function takeQueue(invocation: Invocation, name: string): void {
  const queue = queueName(name);
  if (queue === undefined) throw new UsageError(`Bad qname arg: "${name}"`);
  invocation.queue = queue;
}

/** What takes or tests messages cannot run the queue, too. */
const notInRuns: ReadonlySet<Action> = new Set<Action>(['batch smtp', 'daemon', 'smtp']);

/** `-q` with its flags, perhaps a queue and perhaps a time. */
function queueRun(invocation: Invocation, value: string, word: string): void {
  const found = /^(q?)(i?)(f{0,2})(l?)(?:G([^/]*)\/?)?(.*)$/s.exec(value);
  const [, twoStages = '', first = '', force = '', local = '', name, rest = ''] = found ?? [];
  const run = invocation.queueRun;
  if (run.given) throw new UsageError('-q specified more than once');
  run.given = true;
  if (name !== undefined) takeQueue(invocation, name);
  if (twoStages !== '') run.twoStages = true;
  if (first !== '') run.firstDeliveriesOnly = true;
  if (force !== '') run.force = true;
  if (force === 'ff') run.forceFrozen = true;
  if (local !== '') run.localOnly = true;
  if (rest !== '') run.interval = interval(rest, word);
  const { action } = invocation;
  if (action !== undefined && onQueue.has(action)) return;
  if (run.interval !== undefined) setAction(invocation, 'daemon');
  else if (invocation.action === undefined) invocation.action = 'queue run';
  else if (notInRuns.has(invocation.action)) throw new UsageError('incompatible command-line options or arguments');
}

/** `-R` and `-S`: flags, then the text, in the same word or the next. */
function selection(which: 'recipient' | 'sender'): OptionRow {
  const option = which === 'recipient' ? '-R' : '-S';
  return {
    option,
    takes: 'either',
    expected: `string expected after ${option}`,
    doc: `A queue run for messages whose ${which} contains a text; flags r (regular expression), f and ff go before it.`,
    apply(invocation, value) {
      const run = invocation.queueRun;
      const [, regex = '', force = '', text = ''] = /^(?:(r?)(f{0,2})(?=\0))?\0?(.*)$/s.exec(value) ?? [];
      run[which] = { text, isRegex: regex !== '' };
      if (force !== '') run.force = true;
      if (force === 'ff') run.forceFrozen = true;
      if (invocation.action === undefined) invocation.action = 'queue run';
    },
  };
}

const fakeHost = (option: string, callouts: boolean): OptionRow =>
  row(
    option,
    'next',
    `An SMTP session as if from this address, on standard input and output; nothing is delivered${callouts ? ', callouts are made' : ''}.`,
    (invocation, value) => {
      setAction(invocation, 'fake smtp');
      invocation.fakeHost = value;
      invocation.callouts = callouts;
    },
  );

/** All options. A longer one is tried before those that begin it. */
export const commandLineOptions: readonly OptionRow[] = [
  action('--help', 'help', 'Says in short what this program is.'),
  action('--version', 'version', 'The same as -bV.'),
  ignored('-Ac'),
  ignored('-Am'),
  ignored('-B', 'either'),
  row('-bd', 'nothing', 'Runs as a daemon that listens for SMTP connections.', (invocation) => {
    setAction(invocation, 'daemon');
    invocation.daemonListens = true;
  }),
  row('-bdf', 'nothing', 'The same in the foreground.', (invocation) => {
    setAction(invocation, 'daemon');
    invocation.daemonListens = true;
    invocation.daemonForeground = true;
  }),
  action('-be', 'expand', 'Expands its arguments, or lines of standard input, and prints what comes out.'),
  row('-bem', 'next', 'The same, with the message in a file for the variables about messages.', (invocation, value) => {
    setAction(invocation, 'expand');
    invocation.messageFile = value;
  }),
  filterFile('-bf', 'user', 'Tests a filter file with the message on standard input.'),
  filterFile('-bF', 'system', 'The same with a system filter; with -bf, it is run first.'),
  filterAddress('-bfd', 'domain', 'With -bf: the domain of the recipient.'),
  filterAddress('-bfl', 'localPart', 'With -bf: the local part of the recipient, without prefix and suffix.'),
  filterAddress('-bfp', 'prefix', 'With -bf: the prefix of the local part.'),
  filterAddress('-bfs', 'suffix', 'With -bf: the suffix of the local part.'),
  fakeHost('-bh', false),
  fakeHost('-bhc', true),
  action('-bi', 'rebuild aliases', 'Runs bi_command.'),
  row('-bI:', 'attached', 'Tells something about this program: help, dscp or sieve.', (invocation, value) => {
    setAction(invocation, 'build information');
    invocation.buildInformation = value;
  }),
  row('-bmalware', 'next', 'Has the virus scanner of av_scanner look at a file.', (invocation, value) => {
    setAction(invocation, 'scan for malware');
    invocation.scannedFile = value;
  }),
  action('-bm', 'receive', 'Takes a message from standard input; the recipients are the arguments.'),
  row('-bnq', 'nothing', 'Leaves addresses without a domain as they are.', (invocation) => {
    invocation.dontQualify = true;
  }),
  action('-bP', 'options', 'Prints the configuration, or the parts named.'),
  list('-bp', true, false, false, 'Lists the queue.'),
  list('-bpa', true, true, false, 'Lists the queue with delivered addresses that came from others.'),
  action('-bpc', 'count queue', 'Counts the messages on the queue.'),
  list('-bpr', false, false, false, 'Lists the queue in no order.'),
  list('-bpra', false, true, false, 'As -bpa, in no order.'),
  list('-bpru', false, false, true, 'As -bpu, in no order.'),
  list('-bpu', true, false, true, 'Lists the queue with undelivered addresses of the envelope only.'),
  action('-brt', 'test retry', 'Shows the retry rule for an address and an error.'),
  action('-brw', 'test rewrite', 'Shows how an address is rewritten in each place.'),
  action('-bS', 'batch smtp', 'Takes messages as SMTP commands from standard input, without answering.'),
  action('-bs', 'smtp', 'An SMTP session on standard input and output.'),
  action('-bt', 'test address', 'Shows how addresses are routed.'),
  action('-bV', 'version', 'Shows version, drivers and defaults, and checks the configuration.'),
  action('-bv', 'verify recipient', 'Verifies addresses as recipients.'),
  action('-bvs', 'verify sender', 'Verifies addresses as senders.'),
  row(
    '-bw',
    'attached',
    'A daemon for the listening socket that is standard input; with a time, it ends after so much quiet.',
    (invocation, value, word) => {
      setAction(invocation, 'daemon');
      invocation.daemonListens = true;
      invocation.daemonForeground = true;
      invocation.inetdWait = { patience: value === '' ? undefined : interval(value, word) };
    },
  ),
  row(
    '-C',
    'either',
    'Reads another configuration file, the first of those named that exists.',
    (invocation, value) => {
      invocation.configFiles = value;
    },
  ),
  row('-D', 'attached', 'Sets a macro: NAME or NAME=value.', defineMacro),
  row('-d', 'attached', 'Shows what is done and why; +name and -name add and remove areas.', (invocation, value) => {
    // -dd is for the daemon alone and not for its other processes, of which this program has none
    invocation.debug = value.replace(/^d/, '');
    invocation.verbose = true;
  }),
  row('-dropcr', 'nothing', 'Has no effect any more.', () => undefined),
  row('-E', 'attached', 'The message is a report of a failed delivery.', (invocation, value) => {
    invocation.bounceFor = value;
  }),
  ...['m', 'e', 'p', 'q', 'w', 'i', 'b', 'r'].map((letter) =>
    row(`-e${letter}`, 'nothing', `The same as -oe${letter}.`, (invocation) => {
      invocation.errorMode = errorModes.get(letter) ?? invocation.errorMode;
    }),
  ),
  row('-F', 'either', "The sender's full name.", (invocation, value) => {
    invocation.senderName = value;
  }),
  row('-f', 'either', 'The sender of the message.', (invocation, value) => {
    invocation.sender = value;
  }),
  row('-G', 'attached', 'Suppresses changes that are made to local messages.', (invocation) => {
    invocation.suppressLocalFixups = true;
  }),
  row('-h', 'either', 'How many hosts have passed the message on; has no effect.', (_, value, word) => {
    if (!/^\d/.test(value)) throw notAnOption(word === value ? '-h' : word);
  }),
  row('-i', 'nothing', 'A line with a single dot does not end the message.', (invocation) => {
    invocation.dotEndsMessage = false;
  }),
  row('-L', 'either', 'Logs to syslog under this name, and nowhere else.', (invocation, value) => {
    if (value === '') throw new UsageError('the -L syslog name is too short');
    if (value.length > longestSyslogName) throw new UsageError(`the -L syslog name is too long: "${value}"`);
    invocation.syslogName = value;
  }),
  message('-M', 'deliver', 'Tries to deliver messages now, whatever their retry times.'),
  message('-Mar', 'add recipients', 'Adds recipients to a message.'),
  message('-Mc', 'deliver respecting retry times', 'Tries to deliver messages whose retry time has come.'),
  message('-Mes', 'edit sender', 'Changes the sender of a message.'),
  row('-MCG', 'next', 'Works on the queue of this name; this program gives it to itself.', takeQueue),
  message('-Mf', 'freeze', 'Freezes messages.'),
  row(
    '-MG',
    'next',
    'Moves messages to the queue of this name; an empty one is the default queue.',
    (invocation, value) => {
      setAction(invocation, 'messages');
      invocation.messageAction = 'move';
      invocation.newQueue = value;
    },
    'no message ids given after -MG option',
  ),
  message('-Mg', 'give up', 'Returns messages to their senders.'),
  message('-Mmad', 'mark all delivered', 'Marks all recipients of messages as delivered.'),
  message('-Mmd', 'mark delivered', 'Marks some recipients of a message as delivered.'),
  message('-Mrm', 'remove', 'Removes messages without telling anybody.'),
  row(
    '-Mset',
    'next',
    'With -be: the message for the variables about messages.',
    (invocation, value) => {
      const id = queueId(value);
      if (id === undefined) throw new UsageError(`malformed message id ${value} after -Mset option`);
      invocation.messageId = id;
    },
    'no message ids given after -Mset option',
  ),
  message('-Mt', 'thaw', 'Thaws messages.'),
  message('-Mvb', 'view body', 'Shows the body of a message.'),
  message('-Mvc', 'view message', 'Shows a message.'),
  message('-Mvh', 'view headers', 'Shows the file with envelope and header lines of a message.'),
  message('-Mvl', 'view log', 'Shows the log of a message.'),
  ignored('-m'),
  row('-N', 'nothing', 'Goes through all motions of a delivery but does not deliver.', (invocation) => {
    invocation.dontDeliver = true;
    invocation.verbose = true;
  }),
  row('-n', 'attached', 'With -bP: values without names. Else without effect.', (invocation) => {
    invocation.terse = true;
  }),
  ignored('-O', 'either', 'string expected after -O'),
  row(
    '-oA',
    'either',
    'With -bi: the argument of bi_command.',
    (invocation, value) => {
      invocation.aliasFile = value;
    },
    'string expected after -oA',
  ),
  row(
    '-oB',
    'attached',
    'How many messages go over one connection, whatever transports say; 1 without a number.',
    (invocation, value) => {
      if (!/^(?:\d.*)?$/s.test(value)) throw new UsageError('number expected after -oB');
      invocation.messagesPerConnection = value === '' ? 1 : Number.parseInt(value, 10);
    },
  ),
  delivery('-odb', 'background', 'Delivers in the background.'),
  delivery('-odd', 'background', 'The same as -odb.'),
  delivery('-odf', 'foreground', 'Delivers before the command ends.'),
  delivery('-odi', 'foreground', 'Delivers before the command ends.'),
  delivery('-odq', 'queue', 'Leaves messages on the queue.'),
  delivery('-odqs', 'queue smtp', 'Delivers locally; leaves what goes to other hosts on the queue.'),
  errors('-oee', 'mail', 'Reports mistakes by mail.'),
  errors('-oem', 'mail and fail', 'Reports mistakes by mail, and by the exit status.'),
  errors('-oep', 'print', 'Reports mistakes on standard error.'),
  errors('-oeq', 'print', 'The same as -oep.'),
  errors('-oew', 'mail and fail', 'The same as -oem.'),
  row('-oi', 'nothing', 'The same as -i.', (invocation) => {
    invocation.dotEndsMessage = false;
  }),
  row('-oitrue', 'nothing', 'The same as -i.', (invocation) => {
    invocation.dotEndsMessage = false;
  }),
  origin('-oMa', 'hostAddress', 'Address of the host the message comes from.', mustBeEndpoint),
  origin('-oMaa', 'authenticator', 'Name of the authenticator.'),
  origin('-oMai', 'authenticatedId', 'The id that was authenticated.'),
  origin('-oMas', 'authenticatedSender', 'The authenticated sender.'),
  origin('-oMi', 'interfaceAddress', 'Address of this host that the message came to.', mustBeEndpoint),
  origin('-oMm', 'reference', 'The id of the message that this one is about.', mustBeMessageId),
  origin('-oMr', 'protocol', 'How the message came.'),
  origin('-oMs', 'hostName', 'Name of the host the message comes from.'),
  origin('-oMt', 'ident', 'Who sent the message on that host.'),
  ignored('-om'),
  ignored('-oo'),
  action('-oPX', 'remove pid file', 'Removes the pid file, that of -oP or the usual one.'),
  row('-oP', 'next', 'The pid file of the daemon.', (invocation, value) => {
    invocation.pidFile = value;
  }),
  row(
    '-or',
    'either',
    'How long to wait for a message on standard input.',
    (invocation, value, word) => {
      invocation.receiveTimeout = interval(value, word);
    },
    'bad time value -or: abandoned',
  ),
  row(
    '-os',
    'either',
    'How long to wait for an SMTP command.',
    (invocation, value, word) => {
      invocation.smtpTimeout = interval(value, word);
    },
    'bad time value -os: abandoned',
  ),
  row('-ov', 'nothing', 'The same as -v.', (invocation) => {
    invocation.verbose = true;
  }),
  row('-oX', 'next', 'The interfaces and ports of the daemon.', (invocation, value) => {
    invocation.interfaces = value;
  }),
  row('-oY', 'nothing', 'The daemon makes no socket for other processes.', (invocation) => {
    invocation.noNotifier = true;
  }),
  ignored('-pd'),
  ignored('-ps'),
  row('-p', 'either', 'Protocol and host: the same as -oMr and -oMs.', (invocation, value) => {
    const [protocol = '', host] = value.split(':');
    invocation.origin.protocol = protocol;
    if (host !== undefined) invocation.origin.hostName = host;
  }),
  row(
    '-q',
    'attached',
    'A queue run; with a time, a daemon that makes them. Flags: q i f ff l; G and a name: that queue.',
    queueRun,
  ),
  selection('recipient'),
  row('-r', 'either', 'The same as -f.', (invocation, value) => {
    invocation.sender = value;
  }),
  selection('sender'),
  row('-t', 'nothing', 'The recipients are those of To:, Cc: and Bcc:.', (invocation) => {
    invocation.recipientsFromHeaders = true;
  }),
  row('-ti', 'nothing', '-t and -i.', (invocation) => {
    invocation.recipientsFromHeaders = true;
    invocation.dotEndsMessage = false;
  }),
  row('-tls-on-connect', 'nothing', 'TLS begins with the connection, on every port.', (invocation) => {
    invocation.tlsOnConnect = true;
  }),
  ignored('-U', 'attached'),
  row('-v', 'nothing', 'Shows log lines and SMTP dialogues.', (invocation) => {
    invocation.verbose = true;
  }),
  ignored('-x'),
  ignored('-X', 'either', 'string expected after -X'),
  row(
    '-z',
    'either',
    'Writes a line to the main log.',
    (invocation, value) => {
      setAction(invocation, 'log line');
      invocation.logLine = value;
    },
    'file name expected after -z',
  ),
];

const errorModes: ReadonlyMap<string, Invocation['errorMode']> = new Map([
  ['e', 'mail'],
  ['m', 'mail and fail'],
  ['p', 'print'],
  ['q', 'print'],
  ['w', 'mail and fail'],
]);

const longestFirst = [...commandLineOptions].sort((a, b) => b.option.length - a.option.length);

function find(word: string): OptionRow | undefined {
  return longestFirst.find(({ option, takes }) =>
    takes === 'nothing' || takes === 'next' ? word === option : word.startsWith(option),
  );
}

/** `-qR`, `-qS`, and the flags of -R and -S that stand in the option's own word. */
function normalized(word: string): string {
  return /^-q[RS]/.test(word) ? `-${word.slice(2)}` : word;
}

/** Reads the words behind the program's name. @throws UsageError */
export function parseCommandLine(words: readonly string[], standard: Partial<Invocation> = {}): Invocation {
  const invocation: Invocation = { ...emptyInvocation(), ...standard };
  const shown: string[] = [];
  let at = 0;
  for (; at < words.length; at++) {
    const word = normalized(words[at] ?? '');
    if (!word.startsWith('-')) break;
    if (word === '--') {
      at++;
      break;
    }
    const found = find(word);
    if (found === undefined) throw notAnOption(word);
    const rest = word.slice(found.option.length);
    const time = words[at + 1];
    if (isUntimed(found, rest) && time !== undefined && parseInterval(time) !== undefined) {
      found.apply(invocation, `${rest}${rest.includes('G') ? '/' : ''}${time}`, time);
      at++;
      continue;
    }
    const wantsNext = found.takes === 'next' || (found.takes === 'either' && (rest === '' || isFlags(found, rest)));
    if (!wantsNext) {
      found.apply(invocation, rest, word);
      // behind the one message that is shown there may be further options
      if (found.option.startsWith('-Mv')) shown.push(...words.slice(++at, at + 1));
      continue;
    }
    const next = words[++at];
    if (next === undefined) throw found.expected === undefined ? notAnOption(word) : new UsageError(found.expected);
    found.apply(invocation, rest === '' ? next : `${rest}\0${next}`, next);
  }
  invocation.arguments = [...shown, ...words.slice(at)];
  return invocation;
}

function isUntimed({ option }: OptionRow, rest: string): boolean {
  return option === '-q' && /^[qifl]*(?:G[^/]*)?$/.test(rest);
}

function isFlags({ option }: OptionRow, rest: string): boolean {
  return (option === '-R' || option === '-S') && /^r?f{0,2}$/.test(rest);
}
