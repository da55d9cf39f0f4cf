/** Switches for single things in the log, which are words of `log_selector` now (Exim spec 53.15). */

/** The word for each switch. */
export const logWords: ReadonlyMap<string, string> = new Map([
  ['log_all_parents', 'all_parents'],
  ['log_arguments', 'arguments'],
  ['log_incoming_port', 'incoming_port'],
  ['log_interface', 'incoming_interface'],
  ['log_received_recipients', 'received_recipients'],
  ['log_received_sender', 'received_sender'],
  ['log_rewrites', 'address_rewrite'],
  ['log_sender_on_delivery', 'sender_on_delivery'],
  ['log_smtp_confirmation', 'smtp_confirmation'],
  ['log_smtp_connections', 'smtp_connection'],
  ['log_smtp_syntax_errors', 'smtp_syntax_error'],
  ['log_subject', 'subject'],
  ['tls_log_cipher', 'tls_cipher'],
  ['tls_log_peerdn', 'tls_peerdn'],
]);
