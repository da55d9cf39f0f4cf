/** Main options about what is done to addresses and header lines as mail comes in (Exim spec 14.19). */

import { addressList, fixed, flag } from '../../options/kinds.ts';
import type { OptionTable } from '../../options/table.ts';

export const processingMessages = {
  allow_domain_literals: flag('Accepts addresses of hosts in square brackets as domains.'),
  allow_mx_to_ip: flag('Puts up with MX records that name an address instead of a host.'),
  allow_utf8_domains: flag('Lets names with UTF-8 characters pass the check before a DNS lookup.'),
  delivery_date_remove: flag('Removes Delivery-date: lines.', true),
  envelope_to_remove: flag('Removes Envelope-to: lines.', true),
  extract_addresses_remove_arguments: flag(
    'With -t, takes addresses on the command line away from those found in the header lines.',
    true,
  ),
  headers_charset: fixed('The character set that encoded words are translated into.', 'UTF-8'),
  qualify_domain: fixed('The domain for senders that have none.'),
  qualify_recipient: fixed('The domain for recipients that have none.'),
  return_path_remove: flag('Removes Return-path: lines.', true),
  strip_excess_angle_brackets: flag('Takes doubled angle brackets around addresses for one pair.'),
  strip_trailing_dot: flag('Takes a dot off the end of domains.'),
  untrusted_set_sender: addressList('Senders that any local user may set.'),
} satisfies OptionTable;
