/** Main options of the POP3 server. Exim has none: these are Tabella's own. */

import { flag, integer, stringList, time } from '../../options/kinds.ts';
import type { OptionTable } from '../../options/table.ts';

export const pop3 = {
  pop3_accept_max: integer('How many POP3 connections are served at a time; 0 for no limit.', 100),
  pop3_accept_max_per_host: integer('How many POP3 connections one client may have; 0 for no limit.', 10),
  pop3_disable_plaintext: flag(
    'Takes passwords in the clear only over TLS, or from this host itself: USER and PASS, and AUTH with PLAIN or LOGIN.',
    true,
  ),
  pop3_interfaces: stringList(
    'Addresses, also with ports, on which POP3 clients are waited for; those of local_interfaces, without their ports, when it is unset.',
  ),
  pop3_login_timeout: time('How long a client may take to log in; 0 for as long as it says something.', 180),
  pop3_max_failures: integer('After how many failed logins a connection is closed.', 3),
  pop3_ports: stringList('Ports on which POP3 clients are waited for, such as `pop3`; none when it is unset.'),
  pop3_receive_timeout: time(
    'How long a client may be silent, or leave what it asked for untaken; RFC 1939 asks for ten minutes at least.',
    600,
  ),
  pop3_tls_on_connect_ports: stringList(
    'Ports on which POP3 clients are waited for and TLS begins with the connection, such as `pop3s`.',
  ),
} satisfies OptionTable;
