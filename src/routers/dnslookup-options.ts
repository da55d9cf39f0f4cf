/** Options of the dnslookup router (Exim spec 17). */

import { domainList, flag, stringList, template } from '../options/kinds.ts';
import { neverEffective, type OptionTable } from '../options/table.ts';

export const dnslookupOptions = {
  check_secondary_mx: flag('Takes only domains for which this host is a mail exchanger, but not the first.'),
  check_srv: template('The service whose SRV records are looked for before MX records.'),
  fail_defer_domains: domainList('Domains that are tried again later when the DNS knows nothing of them.'),
  ipv4_only: template('When true, only IPv4 addresses are looked up.'),
  ipv4_prefer: template('When true, IPv4 addresses come before IPv6 addresses.'),
  mx_domains: domainList('Domains for which an MX or SRV record is demanded.'),
  mx_fail_domains: domainList('Domains for which a failure to look up MX records counts as there being none.'),
  qualify_single: flag('Lets the resolver add the local domain to a name of one word.', true),
  rewrite_headers: flag('Writes the full domain into the header lines when the lookup completed it.', true),
  same_domain_copy_routing: neverEffective(
    flag('Uses the hosts found for a domain again for its other addresses in the message.'),
    'it saves lookups of the DNS, whose answers are kept here anyway',
  ),
  search_parents: flag('Lets the resolver try parent domains.'),
  srv_fail_domains: domainList('Domains for which a failure to look up SRV records counts as there being none.'),
  widen_domains: stringList('Domains that are tried behind a name that was not found.'),
} satisfies OptionTable;
