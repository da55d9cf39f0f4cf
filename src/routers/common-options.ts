/** Options that every router has (Exim spec 15). */

import {
  addressList,
  domainList,
  expandedFlag,
  fixed,
  flag,
  group,
  hostList,
  localPartList,
  stringList,
  template,
  user,
} from '../options/kinds.ts';
import { groupOfUser, repeatedCondition, repeatedList } from '../options/rare-kinds.ts';
import { alsoCalled, dependsOn, type OptionsOf, type OptionTable } from '../options/table.ts';

/** Preconditions that look at more than the domain. */
export const addressConditions = [
  'condition',
  'local_part_prefix',
  'local_part_suffix',
  'local_parts',
  'require_files',
  'senders',
];

export const routerCommonOptions = {
  address_data: template('A text kept with the address for later routers and the transport, as $address_data.'),
  address_test: flag('Takes part when addresses are tested with -bt.', true),
  cannot_route_message: template('What is said of an address that this router was the last to refuse.'),
  caseful_local_part: flag('Leaves the letters of the local part as they came; otherwise they are made small.'),
  check_local_user: flag('Takes only addresses whose local part is a user of this host.'),
  condition: repeatedCondition('Skips the router when this does not come out as true.'),
  debug_print: template('A text for the debugging output when the router begins.'),
  disable_logging: flag('Leaves failures and deferrals by this router out of the log.'),
  dnssec_request_domains: domainList('Domains for which signed DNS answers are asked for.', '*'),
  dnssec_require_domains: domainList('Domains for which only signed DNS answers count.'),
  domains: domainList('Takes only addresses with one of these domains.'),
  driver: fixed('Which kind of router it is.'),
  dsn_lasthop: flag('Reports success at once as if the next host could not, when the sender asked for reports.'),
  errors_to: template('Where bounces for this address go instead of the sender.'),
  expn: flag('Takes part when an address is expanded with EXPN.', true),
  fail_verify_recipient: alsoCalled(
    flag('An address that it takes fails when verified as a recipient.'),
    'fail_verify',
  ),
  fail_verify_sender: alsoCalled(flag('An address that it takes fails when verified as a sender.'), 'fail_verify'),
  fallback_hosts: stringList('Hosts that are tried when those found cannot be reached.'),
  group: groupOfUser('user', group('The group that a local delivery runs as.')),
  headers_add: repeatedList('Header lines that are added for this address.', '\n'),
  headers_remove: repeatedList('Names of header lines that are left out for this address.', ':'),
  ignore_target_hosts: hostList('Addresses of hosts that are taken as if they had not been found.'),
  initgroups: flag('Gives a local delivery all groups that its user belongs to.'),
  local_part_prefix: stringList('Takes only local parts that begin with one of these, and takes it off.'),
  local_part_prefix_optional: flag('Takes local parts without the prefix, too.'),
  local_part_suffix: stringList('Takes only local parts that end with one of these, and takes it off.'),
  local_part_suffix_optional: flag('Takes local parts without the suffix, too.'),
  local_parts: localPartList('Takes only addresses with one of these local parts.'),
  log_as_local: dependsOn(
    flag('Shows the local part alone in the log when it is delivered.'),
    'driver',
    ({ driver }) => (driver.logAsLocal ? 'true' : undefined),
  ),
  more: expandedFlag('Lets an address that it declines go on to the next router.', true),
  pass_on_timeout: flag('Hands the address on when a host lookup times out, rather than trying again later.'),
  pass_router: fixed('The router that an address is handed on to, when not the next.'),
  redirect_router: fixed('The router that new addresses begin at, when not the first.'),
  require_files: template('Files that must be there, or with an exclamation mark must not, for the router to run.'),
  retry_use_local_part: dependsOn(
    flag('Remembers temporary failures for the whole address and not for its domain.'),
    `check_local_user, ${addressConditions.join(', ')}`,
    ({ values }) =>
      values['check_local_user'] === true || addressConditions.some((name) => values[name] !== undefined)
        ? 'true'
        : undefined,
  ),
  router_home_directory: template('The directory that $home stands for while the router runs.'),
  self: dependsOn(
    fixed('What to do when the best host found is this one: freeze, defer, fail, pass, send or reroute.', 'freeze'),
    'the setting',
    // Of `reroute: domain`, the domain alone is shown.
    ({ values }) => /^reroute:[ \t-\r]*(?:rewrite:[ \t-\r]*)?(.*)$/s.exec(String(values['self']))?.[1],
    { whenSet: true },
  ),
  senders: addressList('Takes only messages from one of these senders.'),
  set: repeatedList('Variables r_… that are set for later routers and the transport.', ';'),
  translate_ip_address: template('Another IP address for each one that was found.'),
  transport: template('The transport that delivers what this router takes.'),
  transport_current_directory: template('The directory that a local delivery works in.'),
  transport_home_directory: template('The directory that $home stands for in a local delivery.'),
  unseen: expandedFlag('Lets a copy of the address go on to the next router although it was taken.'),
  user: user('The user that a local delivery runs as.'),
  verify_only: flag('Is there for verification only.'),
  verify_recipient: alsoCalled(flag('Takes part when recipients are verified.', true), 'verify'),
  verify_sender: alsoCalled(flag('Takes part when senders are verified.', true), 'verify'),
} satisfies OptionTable;

export type RouterCommonOptions = OptionsOf<typeof routerCommonOptions>;
