/** Main options about the queue, routing and retries (Exim spec 14.21). */

import { domainList, fixed, flag, integer, time } from '../../options/kinds.ts';
import type { OptionTable } from '../../options/table.ts';

export const routingAndDelivery = {
  dns_again_means_nonexist: domainList('Domains that do not exist when the DNS says to try again.'),
  dns_check_names_pattern: fixed(
    'A regular expression that a name must match before the DNS is asked; empty for none.',
    String.raw`(?i)^(?>(?(1)\.|())[^\W](?>[a-z0-9/_-]*[^\W])?)+(\.?)$`,
  ),
  dns_dnssec_ok: integer(
    'Whether answers from signed zones are asked for: 1, 0, or negative as the system has it.',
    -1,
  ),
  dns_ipv4_lookup: domainList('Host names for which only IPv4 addresses are looked up.'),
  dns_retrans: time('How long a DNS question waits before it is asked again; 0s as the system has it.', 0),
  dns_retry: integer('How often a DNS question is asked; 0 as the system has it.', 0),
  dns_trust_aa: domainList('Zones whose authoritative answers count as signed.'),
  dns_use_edns0: integer('Whether DNS questions use EDNS0: 1, 0, or negative as the system has it.', -1),
  hold_domains: domainList('Domains for which nothing is delivered, only kept.'),
  queue_domains: domainList('Domains for which new mail waits for the next queue run.'),
  queue_fast_ramp: flag('Lets a two-phase queue run begin to deliver while it still routes.'),
  queue_only: flag('Puts all new messages on the queue without a delivery attempt.'),
  queue_only_file: fixed('New messages are only queued while one of these files is there.'),
  queue_only_override: flag('Lets the -od command line options override the settings about queueing.', true),
  queue_run_in_order: flag('Runs the queue in the order of arrival and not at random.'),
  queue_smtp_domains: domainList('Domains for which remote deliveries wait for the next queue run.'),
  remote_sort_domains: domainList('The order of domains in which remote deliveries are made.'),
  retry_data_expire: time('How long retry data are kept after the last attempt.', 604_800),
  retry_interval_max: time('The longest that may lie between two attempts.', 86_400),
} satisfies OptionTable;
