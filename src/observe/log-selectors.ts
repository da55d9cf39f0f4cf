/** What the logs may leave out or add (Exim spec 53.15): one row per selector. */

import { trim } from '../lib/octets.ts';

export interface LogSelectorRow {
  readonly standard: boolean;
  readonly doc: string;
}

const on = (doc: string): LogSelectorRow => ({ standard: true, doc });
const off = (doc: string): LogSelectorRow => ({ standard: false, doc });

export const logSelectors = {
  '8bitmime': off('M8S= on arrival lines: what the sender said with BODY='),
  acl_warn_skipped: on('a warn statement that was skipped because a condition could not be tested'),
  address_rewrite: off('every address that a rewriting rule changed'),
  all_parents: off('all intermediate parents on delivery lines'),
  arguments: off('the arguments the program was called with'),
  connection_reject: on('connections that were refused'),
  delay_delivery: on('why a delivery was not started at once'),
  deliver_time: off('DT= on delivery lines: how long the attempt took'),
  delivery_size: off('S= on delivery lines'),
  dkim: on('DKIM= on arrival lines: a domain whose signature was right'),
  dkim_verbose: off('a line for every signature that was tested'),
  dnslist_defer: on('DNS lists that could not be asked'),
  dnssec: off('DS when the names came from signed zones'),
  etrn: on('ETRN commands'),
  host_lookup_failed: on('hosts whose name or address could not be found'),
  ident_timeout: off('RFC 1413 servers that did not answer in time'),
  incoming_interface: off('I= the interface and port a message came in by'),
  incoming_port: off("the remote port behind the sending host's address"),
  lost_incoming_connection: on('connections that broke off'),
  millisec: off('times with three decimals'),
  msg_id: on('id= on arrival lines: the Message-ID: header'),
  msg_id_created: off('id*= when the Message-ID: had to be made, together with msg_id'),
  outgoing_interface: on('I= on delivery lines, together with incoming_interface'),
  outgoing_port: off('the port behind the address of the host delivered to'),
  queue_run: on('start and end of queue runs'),
  queue_time: off('QT= on delivery lines: time on the queue'),
  queue_time_exclusive: off('QT= without the time of reception'),
  queue_time_overall: off('QT= on Completed lines'),
  pid: off('the process id in square brackets'),
  pipelining: off('L when PIPELINING was used'),
  protocol_detail: off('nothing; Exim knows the name, and adds nothing either'),
  proxy: off("PRX= the proxy's inner address"),
  receive_time: off('RT= on arrival lines: how long reception took'),
  received_recipients: off('the recipients on arrival lines'),
  received_sender: off('the sender as it was before rewriting, on arrival lines'),
  rejected_header: on('the header lines of a refused message, in the reject log'),
  retry_defer: on('"retry time not reached" lines'),
  return_path_on_delivery: off('P= the return path on delivery lines'),
  sender_on_delivery: off('F= the sender on delivery lines'),
  sender_verify_fail: on('why a sender could not be verified'),
  size_reject: on('messages refused for their size'),
  skip_delivery: on('messages that a queue run skipped'),
  smtp_confirmation: on("C= the remote host's answer to the message"),
  smtp_connection: off('start and end of SMTP connections'),
  smtp_incomplete_transaction: off('mail transactions that were broken off'),
  smtp_mailauth: off('the AUTH= argument of MAIL within A='),
  smtp_no_mail: off('sessions in which no MAIL command was given'),
  smtp_protocol_error: off('commands out of order'),
  smtp_syntax_error: off('commands with wrong syntax'),
  subject: off('T= the subject on arrival lines'),
  tls_certificate_verified: on("CV= whether the peer's certificate was verified"),
  tls_cipher: on('X= the cipher suite'),
  tls_peerdn: off("DN= the subject of the peer's certificate"),
  tls_resumption: off('an asterisk behind X= for a resumed session'),
  tls_sni: off('SNI= the name the client asked for'),
  unknown_in_list: off('names that could not be looked up while a list was tested'),
} as const satisfies Readonly<Record<string, LogSelectorRow>>;

export type LogSelector = keyof typeof logSelectors;

export type LogSelection = ReadonlySet<LogSelector>;

const names = Object.keys(logSelectors) as LogSelector[];

export const standardSelection: LogSelection = new Set(names.filter((name) => logSelectors[name].standard));

/** Other names. */
const synonyms: ReadonlyMap<string, LogSelector> = new Map([['rejected_headers', 'rejected_header']]);

function isSelector(name: string): name is LogSelector {
  return Object.hasOwn(logSelectors, name);
}

/** Reads a setting such as `+arguments -retry_defer`, starting from the standard selection. */
export function parseLogSelection(text: string): LogSelection | { readonly error: string } {
  const chosen = new Set(standardSelection);
  for (const word of trim(text).split(/[ \t-\r]+/)) {
    if (word === '') continue;
    const sign = word[0];
    const name = synonyms.get(word.slice(1)) ?? word.slice(1);
    if (sign !== '+' && sign !== '-')
      return { error: `malformed log_selector setting: + or - expected but found "${word}"` };
    if (name !== 'all' && !isSelector(name)) return { error: `unknown log_selector setting: ${word}` };
    for (const each of name === 'all' ? names : [name as LogSelector]) {
      if (sign === '+') chosen.add(each);
      else chosen.delete(each);
    }
  }
  return chosen;
}
