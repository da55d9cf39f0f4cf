/** Options of the manualroute router (Exim spec 20). */

import { fixed, flag, stringList, template } from '../options/kinds.ts';
import { neverEffective, type OptionTable } from '../options/table.ts';

export const manualrouteOptions = {
  host_all_ignored: fixed(
    'What to do when ignore_target_hosts leaves no host: decline, defer, fail, freeze or pass.',
    'defer',
  ),
  host_find_failed: fixed(
    'What to do when a host has no address: decline, defer, fail, freeze, ignore or pass.',
    'freeze',
  ),
  hosts_randomize: flag('Tries the hosts of a rule in random order.'),
  route_data: template('The rule for this address, when rules are looked up.'),
  route_list: stringList('Rules, with semicolons between them: domain pattern, hosts, options.'),
  same_domain_copy_routing: neverEffective(
    flag('Uses the hosts found for a domain again for its other addresses in the message.'),
    'it saves lookups of the DNS, whose answers are kept here anyway',
  ),
} satisfies OptionTable;
