/** Main options about extensions of SMTP that are offered (Exim spec 14.18). */

import { flag, hostList } from '../../options/kinds.ts';
import type { OptionTable } from '../../options/table.ts';

export const smtpExtensions = {
  accept_8bitmime: flag('Offers 8BITMIME.', true),
  auth_advertise_hosts: hostList('Hosts that are offered AUTH.', '*'),
  chunking_advertise_hosts: hostList('Hosts that are offered CHUNKING.', '*'),
  dsn_advertise_hosts: hostList('Hosts that are offered DSN.'),
  ignore_fromline_hosts: hostList('Hosts that may send a mailbox "From " line before the header lines.'),
  ignore_fromline_local: flag('Lets local programs send a mailbox "From " line in batch SMTP.'),
  pipelining_advertise_hosts: hostList('Hosts that are offered PIPELINING.', '*'),
  pipelining_connect_advertise_hosts: hostList('Hosts that may send commands before they have read the greeting.', '*'),
  prdr_enable: flag('Offers PRDR: an answer per recipient for the whole message.'),
  smtputf8_advertise_hosts: hostList('Hosts that are offered SMTPUTF8.', '*'),
} satisfies OptionTable;
