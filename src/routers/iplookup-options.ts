/** Options of the iplookup router (Exim spec 19). */

import { fixed, flag, integer, stringList, template, time } from '../options/kinds.ts';
import type { OptionTable } from '../options/table.ts';

export const iplookupOptions = {
  hosts: stringList('Addresses of the servers that are asked, one after the other.'),
  optional: flag('Hands the address on to the next router when no server answers.'),
  port: integer('The port of the servers.', 0),
  protocol: fixed('How the servers are spoken to: udp or tcp; udp when not set.'),
  query: template('The question; when it is not set, the address twice with a blank between.'),
  reroute: template('How the new address is made from the answer.'),
  response_pattern: fixed('A regular expression that takes the answer apart.'),
  timeout: time('How long to wait for an answer or a connection.', 5),
} satisfies OptionTable;
