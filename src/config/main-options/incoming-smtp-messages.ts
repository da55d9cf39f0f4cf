/** Main options about SMTP sessions with clients (Exim spec 14.17). */

import { domainList, fixed, flag, hostList, integer, stringList, template, time } from '../../options/kinds.ts';
import { expandedTime } from '../../options/rare-kinds.ts';
import { neverEffective, type OptionTable } from '../../options/table.ts';

export const incomingSmtpMessages = {
  dkim_verify_hashes: stringList('Hash functions that DKIM signatures may use.', 'sha256:sha512'),
  dkim_verify_keytypes: stringList('Kinds of key that DKIM signatures may use.', 'ed25519:rsa'),
  dkim_verify_min_keysizes: stringList('How long the keys of DKIM signatures must be.', 'rsa=1024 ed25519=250'),
  dkim_verify_minimal: flag('Checks no further signatures after the first good one.'),
  dkim_verify_signers: domainList('Domains and identities whose signatures the DKIM ACL is run for.', '$dkim_signers'),
  dmarc_forensic_sender: template('The sender of reports about single messages that failed DMARC.'),
  dmarc_history_file: fixed('The file in which DMARC results are kept for aggregate reports.'),
  dmarc_tld_file: fixed('The list of public suffixes that tells organizations from registries.'),
  recipient_unqualified_hosts: hostList('Hosts that may give recipients without a domain.'),
  rfc1413_hosts: hostList('Hosts that are asked which user a connection belongs to.', '@[]'),
  rfc1413_query_timeout: time('How long to wait for the name of the user; 0s not to ask.', 0),
  sender_unqualified_hosts: hostList('Hosts that may give senders without a domain.'),
  smtp_accept_keepalive: flag('Lets the system find out whether idle clients are still there.', true),
  smtp_active_hostname: template('The name this server goes by in a session, when not its own.'),
  smtp_banner: template('The greeting of a session.', '$smtp_active_hostname ESMTP Tabella $tabella_version $tod_full'),
  smtp_enforce_sync: flag('Breaks with clients that send before it is their turn.', true),
  smtp_etrn_command: template('The command that an ETRN command runs.'),
  smtp_etrn_serialize: flag('Runs no two commands for the same ETRN text at a time.', true),
  smtp_max_unknown_commands: integer('How many unknown commands a connection may give.', 3),
  smtp_ratelimit_hosts: hostList('Hosts that are slowed down when they send much in one session.'),
  smtp_ratelimit_mail: fixed('From which MAIL command on, and how much, a client is slowed down.'),
  smtp_ratelimit_rcpt: fixed('From which RCPT command on, and how much, a client is slowed down.'),
  smtp_receive_timeout: expandedTime('How long a client may take for a command or for a block of data.', 300),
  smtp_return_error_details: flag('Tells clients the details of a failure, not only that there was one.'),
  tcp_nodelay: flag('Sends answers at once rather than waiting to fill a packet.', true),
  tcp_wrappers_daemon_name: neverEffective(
    template('The name by which TCP wrappers know this server.'),
    'this program is not linked with the library of the TCP wrappers; host_reject_connection does the same',
  ),
} satisfies OptionTable;
