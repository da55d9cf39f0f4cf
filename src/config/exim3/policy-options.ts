/** The options of Exim 3 that said who may send to whom, by what the access control lists make of them. */

import { splitList } from '../../lib/list-text.ts';
import type { OldListKind } from './lists.ts';

/** Options whose work the access control lists do. */
export const policyNames: ReadonlySet<string> = new Set([
  'auth_hosts',
  'auth_over_tls_hosts',
  'headers_check_syntax',
  'headers_checks_fail',
  'headers_sender_verify',
  'headers_sender_verify_errmsg',
  'host_accept_relay',
  'host_auth_accept_relay',
  'host_reject_recipients',
  'rbl_domains',
  'rbl_hosts',
  'rbl_log_headers',
  'rbl_log_rcpt_count',
  'rbl_reject_recipients',
  'rbl_warn_header',
  'receiver_try_verify',
  'receiver_verify',
  'receiver_verify_addresses',
  'receiver_verify_hosts',
  'receiver_verify_senders',
  'recipients_reject_except',
  'recipients_reject_except_senders',
  'relay_domains',
  'relay_domains_include_local_mx',
  'relay_match_host_or_sender',
  'sender_address_relay',
  'sender_address_relay_hosts',
  'sender_reject',
  'sender_reject_recipients',
  'sender_try_verify',
  'sender_verify',
  'sender_verify_batch',
  'sender_verify_callback_domains',
  'sender_verify_callback_timeout',
  'sender_verify_fixup',
  'sender_verify_hosts',
  'sender_verify_hosts_callback',
  'sender_verify_max_retry_rate',
  'sender_verify_reject',
  'smtp_etrn_hosts',
  'smtp_expn_hosts',
  'smtp_verify',
  'tls_host_accept_relay',
  'tls_hosts',
  'tls_verify_ciphers',
]);

/** Options of the above that have no counterpart. */
export const droppedOptions: readonly string[] = [
  'rbl_log_headers',
  'rbl_log_rcpt_count',
  'sender_verify_batch',
  'sender_verify_fixup',
  'sender_verify_max_retry_rate',
];

/** Options that open further commands: what they list, and the command. */
export const commands: readonly (readonly [string, OldListKind | undefined, string])[] = [
  ['auth_over_tls_hosts', 'sender host', 'auth'],
  ['smtp_etrn_hosts', 'sender host', 'etrn'],
  ['smtp_expn_hosts', 'sender host', 'expn'],
  ['smtp_verify', undefined, 'vrfy'],
];

/** A list with `*`, or one that ends with a negated item. */
export function isEverybody(list: string): boolean {
  const { items } = splitList(list);
  return items.includes('*') || items.at(-1)?.startsWith('!') === true;
}
