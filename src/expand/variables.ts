/**
 * The variables of expansions (Exim spec 11.9): one row each, with its taint as the manual marks it. A row reads the
 * facts of the context; a plain string it answers is tainted or clean as the row says, a `Text` speaks for itself.
 */

import * as clock from '../lib/clock.ts';
import { type Eventual, then } from '../lib/eventual.ts';
import { splitAddress } from '../mail/address.ts';
import { mailboxDate, rfc5322Date, zuluDate } from '../mail/date.ts';
import { timestamp, zone } from '../observe/main-log.ts';
import { dmarcText } from '../origin/dmarc.ts';
import * as files from '../safe/files.ts';
import { reviewed, Text } from '../safe/taint.ts';
import type { Context } from './context.ts';
import { dkimVariables } from './dkim-variables.ts';
import { kept } from './kept.ts';
import * as message from './message-variables.ts';
import { mimeVariables } from './mime-variables.ts';
import { tlsVariables } from './tls-variables.ts';
import { buildDate, compatibilityLevel, compileNumber, productVersion } from './version.ts';

type Value = Text | string | number | undefined;

export interface VariableRow {
  readonly doc: string;
  readonly tainted: boolean;
  read(context: Context): Eventual<Value>;
}

const row = (doc: string, read: VariableRow['read']): VariableRow => ({ doc, tainted: false, read });
const tainted = (doc: string, read: VariableRow['read']): VariableRow => ({ doc, tainted: true, read });
/** A variable whose feature is not in this version: it exists, with the value the manual gives it while unused. */
const unused = (doc: string, value = ''): VariableRow => row(doc, () => value);

const hostName = (c: Context): Eventual<string> => {
  const { connection } = c;
  if (connection === undefined) return '';
  return then(c.services.findHostName(c), () => connection.hostName);
};

const space = (what: 'free' | 'freeInodes', directory: string | undefined): number => {
  if (directory === undefined) return -1;
  try {
    const found = files.space(reviewed(directory, 'a directory of the configuration'));
    if (what === 'free') return Math.floor(found.free / 1024);
    return found.inodes > 0 ? found.freeInodes : -1;
  } catch {
    return -1;
  }
};

/** A user or group that there is none of. */
const nobody = 2 ** 32 - 1;

export const variables = {
  acl_narg: row('number of arguments of the ACL being run', (c) => c.acl?.arguments.length ?? 0),
  acl_verify_message: tainted('why an address could not be verified', (c) => c.acl?.verifyMessage),
  address_data: row('set by address_data of a router', (c) => c.address?.addressData),
  address_file: row('the file that an address was directed to', (c) => c.address?.addressFile),
  address_pipe: row('the command that an address was directed to', (c) => c.address?.addressPipe),
  arc_domains: tainted('domains of an ARC chain', (c) => c.message?.arc?.sets.map(({ seal }) => seal.domain).join(':')),
  arc_oldest_pass: row('first instance of an ARC chain that is right', (c) => c.message?.arc?.oldestPass ?? 0),
  arc_state: row('result of ARC verification', (c) => c.message?.arc?.state),
  arc_state_reason: row('why ARC verification failed', (c) => c.message?.arc?.reason),
  auth1: row('first value that an authenticator was given', (c) => c.authValues?.[0]),
  auth2: row('second value that an authenticator was given', (c) => c.authValues?.[1]),
  auth3: row('third value that an authenticator was given', (c) => c.authValues?.[2]),
  auth4: row('fourth value that an authenticator was given', (c) => c.authValues?.[3]),
  authenticated_fail_id: tainted('the id of a failed authentication', (c) => c.connection?.authenticatedFailId),
  authenticated_id: tainted('who the sender proved to be', (c) => c.connection?.authenticatedId),
  authenticated_sender: tainted(
    'AUTH= of MAIL, or the address of a local caller',
    (c) => c.message?.authenticatedSender,
  ),
  authentication_failed: row('1 after an AUTH command that failed', (c) =>
    c.connection?.authenticationFailed ? 1 : 0,
  ),
  av_failed: unused('1 after a virus scanner failed', '0'),
  body_linecount: row('lines of the body', (c) => known(c.message?.bodyLineCount)),
  body_zerocount: row('NUL octets of the body', (c) => known(c.message?.bodyZeroCount)),
  bounce_recipient: tainted('recipient of the bounce being made', (c) => c.message?.bounceRecipient),
  bounce_return_size_limit: row('the option bounce_return_size_limit', (c) => c.settings.bounceReturnSizeLimit),
  caller_gid: row('real group of the process that called', () => process.getgid?.() ?? 0),
  caller_uid: row('real user of the process that called', () => process.getuid?.() ?? 0),
  callout_address: row('the address of the last callout or scanner', (c) => c.acl?.calloutAddress),
  compile_date: row('when the program was built', () => buildDate),
  compile_number: row('which build this is', () => compileNumber),
  config_dir: row('directory of the configuration file', (c) => c.settings.configFile.replace(/\/[^/]*$/, '')),
  config_file: row('the configuration file', (c) => c.settings.configFile),
  csa_status: row('result of client SMTP authorization', (c) => c.connection?.csaStatus),
  dmarc_domain_policy: row('policy of a DMARC record', (c) => c.message?.dmarc?.record?.policy),
  dmarc_status: row('result of a DMARC check', (c) => c.message?.dmarc?.status),
  dmarc_status_text: row('result of a DMARC check in words', (c) => c.message?.dmarc && dmarcText(c.message.dmarc)),
  dmarc_used_domain: tainted('domain whose DMARC record counts', (c) => c.message?.dmarc?.usedDomain),
  dnslist_domain: tainted('DNS list that matched', (c) => c.acl?.dnsList?.domain),
  dnslist_matched: tainted('key that matched in a DNS list', (c) => c.acl?.dnsList?.matched),
  dnslist_text: tainted('TXT record of a DNS list', (c) => c.acl?.dnsList?.text),
  dnslist_value: tainted('address records of a DNS list', (c) => c.acl?.dnsList?.value),
  domain: tainted('domain of the address', (c) => c.address?.domain),
  domain_data: row('what a list match of the domain found', (c) => c.address?.domainData),
  event_data: tainted('data of an event', (c) => c.event?.data),
  event_defer_errno: row('error number of a deferred event', (c) => c.event?.code ?? 0),
  event_name: row('name of an event', (c) => c.event?.name),
  exim_gid: row('group the program runs as', (c) => c.settings.eximGid),
  exim_path: row('path of the program', (c) => c.settings.eximPath),
  exim_uid: row('user the program runs as', (c) => c.settings.eximUid),
  exim_version: row('version of Exim that this program is compatible with', () => compatibilityLevel),
  headers_added: tainted('header lines added by ACLs', (c) =>
    c.acl?.headersAdded.map(({ text }) => text.replace(/\n$/, '')).join('\n'),
  ),
  home: row('home directory', (c) => c.address?.home),
  host: row('host of the delivery', (c) => c.delivery?.host),
  host_address: row('IP address of the delivery', (c) => c.delivery?.hostAddress),
  host_data: row('what a list match of the host found', (c) => c.acl?.hostData),
  host_lookup_deferred: row('1 when the name of the host could not be asked for', (c) =>
    c.connection?.hostLookupDeferred ? 1 : 0,
  ),
  host_lookup_failed: row('1 when the host has no name', (c) => (c.connection?.hostLookupFailed ? 1 : 0)),
  host_port: row('port of the delivery', (c) => c.delivery?.hostPort ?? 0),
  initial_cwd: row('directory the program was started in', () => process.cwd()),
  inode: row('inode of the file being delivered to', (c) => c.delivery?.inode ?? 0),
  interface_address: row('local address of the connection', (c) => c.connection?.interfaceAddress),
  interface_port: row('local port of the connection', (c) => c.connection?.interfacePort || -1),
  item: row('the item of a list being looked at', (c) => c.results.item),
  ldap_dn: unused('distinguished name of the last LDAP result'),
  load_average: row('system load times 1000', () => message.loadAverage()),
  local_part: tainted('local part of the address', (c) => c.address?.localPart),
  local_part_data: row('what a list match of the local part found', (c) => c.address?.localPartData),
  local_part_prefix: row('prefix removed from the local part', (c) => c.address?.localPartPrefix),
  local_part_prefix_v: row('what an asterisk in the prefix stood for', (c) => c.address?.localPartPrefixVariable),
  local_part_suffix: row('suffix removed from the local part', (c) => c.address?.localPartSuffix),
  local_part_suffix_v: row('what an asterisk in the suffix stood for', (c) => c.address?.localPartSuffixVariable),
  local_scan_data: unused('text of a local scan function'),
  local_user_gid: row('group of the local user', (c) => c.address?.localUserGid ?? nobody),
  local_user_uid: row('uid of the local user', (c) => c.address?.localUserUid ?? nobody),
  localhost_number: row('the localhost_number option', (c) => c.settings.localhostNumber || '0'),
  log_inodes: row('free inodes where the logs are', (c) => space('freeInodes', c.settings.logFileDirectory)),
  log_space: row('free kilobytes where the logs are', (c) => space('free', c.settings.logFileDirectory)),
  lookup_dnssec_authenticated: row('whether the last DNS lookup was secure', (c) =>
    kept(c, 'lookup_dnssec_authenticated'),
  ),
  mailstore_basename: unused('name of a mailstore delivery'),
  malware_name: tainted('name of the virus that was found', (c) => c.acl?.malwareName),
  max_received_linelength: row('octets of the longest line', (c) => known(c.message?.maxReceivedLineLength)),
  message_age: row('seconds since reception', (c) =>
    c.message === undefined ? 0 : Math.max(0, clock.seconds() - c.message.receivedTime),
  ),
  message_body: tainted('beginning of the body', (c) => message.body(c, 'start')),
  message_body_end: tainted('end of the body', (c) => message.body(c, 'end')),
  message_body_size: row('octets of the body', (c) => known(c.message?.bodySize)),
  message_exim_id: row('identification of the message', (c) => c.message?.id),
  message_headers: tainted('all header lines, decoded', (c) => message.allHeaders(c, true)),
  message_headers_raw: tainted('all header lines', (c) => message.allHeaders(c, false)),
  message_id: row('identification of the message', (c) => c.message?.id),
  message_linecount: row('lines of the message', (c) => known(c.message?.lineCount)),
  message_size: row('octets of the message', (c) => known(c.message?.size)),
  message_smtputf8: row('whether the message came with SMTPUTF8', (c) => (c.message?.smtpUtf8 ? 'yes' : 'no')),
  original_domain: tainted('domain the message came in for', (c) => c.address?.originalDomain),
  original_local_part: tainted('local part the message came in for', (c) => c.address?.originalLocalPart),
  originator_gid: row('group of the sender', (c) => c.message?.originatorGid ?? process.getgid?.() ?? 0),
  originator_uid: row('uid of the sender', (c) => c.message?.originatorUid ?? process.getuid?.() ?? 0),
  parent_domain: tainted('domain of the address this one came from', (c) => c.address?.parentDomain),
  parent_local_part: tainted('local part of the address this one came from', (c) => c.address?.parentLocalPart),
  pid: row('process id', () => process.pid),
  prdr_requested: row('whether recipients get an answer each', (c) => (c.message?.prdrRequested ? 'yes' : 'no')),
  primary_hostname: row('name of this host', (c) => c.settings.primaryHostname),
  proxy_external_address: row('outer address of the proxy', (c) => c.connection?.proxy?.external?.address),
  proxy_external_port: row('outer port of the proxy', (c) => c.connection?.proxy?.external?.port ?? 0),
  proxy_local_address: row('address of the proxy', (c) => c.connection?.proxy?.local?.address),
  proxy_local_port: row('port of the proxy', (c) => c.connection?.proxy?.local?.port ?? 0),
  proxy_session: row('whether a proxy has made the connection', (c) => (c.connection?.proxy ? 'yes' : 'no')),
  prvscheck_address: row('address of a prvs check', (c) => kept(c, 'prvscheck_address')),
  prvscheck_keynum: row('key number of a prvs check', (c) => kept(c, 'prvscheck_keynum')),
  prvscheck_result: row('result of a prvs check', (c) => kept(c, 'prvscheck_result')),
  qualify_domain: row('the qualify_domain option', (c) => c.settings.qualifyDomain),
  qualify_recipient: row('the qualify_recipient option', (c) => c.settings.qualifyRecipient),
  queue_name: row('name of the queue', (c) => c.queueName),
  queue_size: row('messages on the queue', (c) => c.services.queueSize(c)),
  rcpt_count: row('RCPT commands of the message', (c) => c.message?.rcptCount ?? 0),
  rcpt_defer_count: row('RCPT commands answered with 4xx', (c) => c.message?.rcptDeferCount ?? 0),
  rcpt_fail_count: row('RCPT commands answered with 5xx', (c) => c.message?.rcptFailCount ?? 0),
  received_count: row('number of Received: lines', (c) => c.message?.receivedCount ?? 0),
  received_for: tainted('the only recipient, in a Received: line', (c) => c.message?.receivedFor),
  received_ip_address: row('local address of the connection', (c) => c.connection?.interfaceAddress),
  received_port: row('local port of the connection', (c) => c.connection?.interfacePort || -1),
  received_protocol: row('how the message came in', (c) => c.connection?.receivedProtocol),
  received_time: row('when the message came in', (c) => (c.message?.id ? c.message.receivedTime : 0)),
  recipient_data: row('what a list match of the recipient found', (c) => c.acl?.recipientData),
  recipient_verify_failure: row('what kind of failure a recipient had', (c) => c.acl?.recipientVerifyFailure),
  recipients: tainted('all recipients', (c) =>
    c.filter?.showsRecipients === false ? '' : c.message?.recipients.join(', '),
  ),
  recipients_count: row('number of recipients', (c) => c.message?.recipientsCount ?? 0),
  regex_match_string: tainted('the regular expression that a regex condition matched', (c) => c.acl?.regexMatch?.[0]),
  reply_address: tainted('Reply-To: or From:', (c) => message.replyAddress(c)),
  return_path: row('return path of the delivery', (c) => returnPath(c)),
  return_size_limit: row('older name of bounce_return_size_limit', (c) => c.settings.bounceReturnSizeLimit),
  router_name: row('router being run', (c) => c.address?.routerName),
  runrc: row('exit status of the last program', (c) => c.results.runrc),
  self_hostname: row('host that turned out to be this one', (c) => c.address?.selfHostname),
  sender_address: tainted('sender of the message', (c) => c.message?.sender),
  sender_address_data: row('address_data of the verified sender', (c) => c.acl?.senderAddressData),
  sender_address_domain: tainted("the sender's domain", (c) => splitAddress(c.message?.sender ?? '').domain),
  sender_address_local_part: tainted("the sender's local part", (c) => splitAddress(c.message?.sender ?? '').localPart),
  sender_data: row('what a list match of the sender found', (c) => c.acl?.senderData),
  sender_fullhost: tainted('name and address of the sending host', (c) => message.fullHost(c)),
  sender_helo_dnssec: unused('whether the HELO name was found securely', 'no'),
  sender_helo_name: tainted('name given with HELO or EHLO', (c) => c.connection?.heloName),
  sender_host_address: row('address of the sending host', (c) => c.connection?.hostAddress),
  sender_host_authenticated: row('authenticator that succeeded', (c) => c.connection?.authenticator),
  sender_host_dnssec: unused('whether the host name was found securely', 'no'),
  sender_host_name: tainted('confirmed name of the sending host', hostName),
  sender_host_port: row('port of the sending host', (c) => c.connection?.hostPort ?? 0),
  sender_ident: tainted('RFC 1413 answer or login name of the sender', (c) => c.connection?.ident),
  sender_rate: row('measured rate of a ratelimit condition', (c) => c.acl?.rate?.rate),
  sender_rate_limit: row('limit of a ratelimit condition', (c) => c.acl?.rate?.limit),
  sender_rate_period: row('period of a ratelimit condition', (c) => c.acl?.rate?.period),
  sender_rcvhost: tainted('the sending host as in a Received: line', (c) => message.receivedHost(c)),
  sender_verify_failure: row('what kind of failure a sender had', (c) => c.acl?.senderVerifyFailure),
  sending_ip_address: row('local address of an outgoing connection', (c) => c.delivery?.local?.address),
  sending_port: row('local port of an outgoing connection', (c) => c.delivery?.local?.port ?? -1),
  smtp_active_hostname: row('name this host has in the session', (c) =>
    c.connection?.activeHostname.value ? c.connection.activeHostname : c.settings.primaryHostname,
  ),
  smtp_command: tainted('the command being handled', (c) => c.connection?.command),
  smtp_command_argument: tainted('argument of the command being handled', (c) => c.connection?.commandArgument),
  smtp_command_history: row('the last commands', (c) => c.connection?.commandHistory.join(',')),
  smtp_count_at_connection_start: row('connections when this one began', (c) => c.connection?.countAtStart ?? 0),
  smtp_notquit_reason: row('why a session ended without QUIT', (c) => c.connection?.notQuitReason ?? ''),
  spam_action: row('what a spam scanner proposes', (c) => c.message?.spam?.action),
  spam_bar: row('a score as a bar', (c) => c.message?.spam?.bar),
  spam_report: tainted('report of a spam scanner', (c) => c.message?.spam?.report),
  spam_score: row('score of a spam scanner', (c) => c.message?.spam?.score),
  spam_score_int: row('score times ten', (c) => c.message?.spam?.scoreInt),
  spf_guess: row('guessed SPF record', (c) => c.settings.spfGuess),
  spf_header_comment: tainted('comment of an SPF check', (c) => c.message?.spf?.headerComment),
  spf_received: tainted('Received-SPF: line', (c) => c.message?.spf?.received),
  spf_result: row('result of an SPF check', (c) => c.message?.spf?.result),
  spf_result_guessed: row('whether the SPF record was guessed', (c) => (c.message?.spf?.isGuessed ? 'yes' : 'no')),
  spf_smtp_comment: tainted('text of an SPF refusal', (c) => c.message?.spf?.smtpComment),
  spool_directory: row('the spool directory', (c) => c.settings.spoolDirectory),
  spool_inodes: row('free inodes where the spool is', (c) => space('freeInodes', c.settings.spoolDirectory)),
  spool_space: row('free kilobytes where the spool is', (c) => space('free', c.settings.spoolDirectory)),
  tabella_version: row('version of this program', () => productVersion),
  srs_recipient: row('address in an SRS local part', (c) => kept(c, 'srs_recipient')),
  thisaddress: row('address of a foranyaddress condition', (c) => c.filter?.thisAddress),
  tod_bsdinbox: row('time as in an mbox separator', () => mailboxDate(clock.now())),
  tod_epoch: row('seconds since 1970', () => clock.seconds()),
  tod_epoch_l: row('microseconds since 1970', () => String(clock.microseconds())),
  tod_full: row('time as in a header line', () => rfc5322Date(clock.now())),
  tod_log: row('time as in a log', () => timestamp(clock.now())),
  tod_logfile: row('date as in the name of a log file', () => timestamp(clock.now()).slice(0, 10).replaceAll('-', '')),
  tod_zone: row('time zone', () => zone(clock.now())),
  tod_zulu: row('time in UTC', () => zuluDate(clock.now())),
  transport_name: row('transport being run', (c) => c.delivery?.transportName),
  value: row('value set by an expansion item', (c) => c.results.value),
  verify_mode: row('S or R while an address is verified', (c) => c.acl?.verifyMode),
  version_number: row('version of Exim that this program is compatible with', () => compatibilityLevel),
  warn_message_delay: row('delay told in a warning', (c) => c.message?.warningDelay),
  warn_message_recipients: tainted('recipients of a warning', (c) => c.message?.warningRecipients),
  warnmsg_delay: row('older name of warn_message_delay', (c) => c.message?.warningDelay),
  warnmsg_recipients: tainted('older name of warn_message_recipients', (c) => c.message?.warningRecipients),
  // behind the others: rows that follow a spread are slow to make
  ...dkimVariables,
  ...mimeVariables,
  ...tlsVariables,
} as const satisfies Readonly<Record<string, VariableRow>>;

function known(count: number | undefined): number {
  return count === undefined || count < 0 ? 0 : count;
}

function returnPath(c: Context): Text | undefined {
  const path = c.delivery?.returnPath ?? (c.message?.id || c.address ? c.message?.sender : undefined);
  return path === undefined ? undefined : Text.tainted(path);
}

type Read = (context: Context) => Eventual<Text | undefined>;

function asText(value: Value, isTainted: boolean): Text | undefined {
  if (value === undefined || value instanceof Text) return value;
  if (typeof value === 'number') return Text.configured(String(value));
  return isTainted ? Text.tainted(value) : Text.configured(value);
}

/** Variables whose names are made up as they are used: captures, arguments, ACL and router variables. */
const families: readonly { readonly names: RegExp; read(name: string, context: Context): Text | undefined }[] = [
  { names: /^\d+$/, read: (name, c) => c.results.numeric[Number(name)] },
  { names: /^acl_arg[1-9]$/, read: (name, c) => c.acl?.arguments[Number(name.slice(7)) - 1] },
  { names: /^acl_[cm]$/, read: () => Text.empty },
  { names: /^acl_c[0-9_]\w*$/, read: (name, c) => aclVariable(c, c.connection?.aclVariables, name.slice(5)) },
  { names: /^acl_m[0-9_]\w*$/, read: (name, c) => aclVariable(c, c.message?.aclVariables, name.slice(5)) },
  { names: /^r_\w*$/, read: (name, c) => c.address?.routerVariables.get(name) },
  { names: /^regex[1-9]$/, read: (name, c) => capture(c, Number(name.slice('regex'.length))) },
  { names: /^n[0-9]$/, read: (name, c) => counter(c.filter?.numbers, name) },
  { names: /^sn[0-9]$/, read: (name, c) => counter(c.systemNumbers, name) },
];

/** A number that a filter counts in. */
const counter = (numbers: readonly number[] | undefined, name: string): Text =>
  Text.configured(String(numbers?.[Number(name.slice(-1))] ?? 0));

/** What a regex condition captured. */
function capture({ acl }: Context, number: number): Text | undefined {
  const captured = acl?.regexMatch?.[number];
  return captured === undefined ? undefined : Text.tainted(captured);
}

function aclVariable(c: Context, values: ReadonlyMap<string, Text> | undefined, name: string): Text | undefined {
  return values?.get(name) ?? (c.settings.strictAclVars ? undefined : Text.empty);
}

function isVariable(name: string): name is keyof typeof variables {
  return Object.hasOwn(variables, name);
}

/** How to read the variable of that name; nothing when there is no such variable. */
export function variableReader(name: string): Read | undefined {
  if (isVariable(name)) {
    const found: VariableRow = variables[name];
    return (context) => then(found.read(context), (value) => asText(value, found.tainted));
  }
  const family = families.find(({ names }) => names.test(name));
  return family && ((context) => family.read(name, context));
}

/** Whether the value of a variable always comes from outside, so that nobody has vouched for it. */
export function isTaintedVariable(name: string): boolean {
  return isVariable(name) && variables[name].tainted;
}

/** What is added to the error for an unknown name, where a rule of its own explains it. */
export function variableHint(name: string): string {
  if (/^acl_[cm]/.test(name)) return ' (6th character of a user-defined ACL variable must be a digit or underscore)';
  return name.startsWith('acl_') ? ' (user-defined ACL variables must start acl_c or acl_m)' : '';
}
