/** Options that every transport has (Exim spec 24). */

import { fixed, flag, group, template, time, user } from '../options/kinds.ts';
import { groupOfUser, repeatedList } from '../options/rare-kinds.ts';
import { dependsOn, type OptionsOf, type OptionTable } from '../options/table.ts';

export const transportCommonOptions = {
  body_only: flag('Delivers the body without header lines.'),
  current_directory: template('The directory that a local delivery works in.'),
  debug_print: template('A text for the debugging output when the transport begins.'),
  delivery_date_add: flag('Adds a Delivery-date: line.'),
  disable_logging: flag('Leaves its deliveries out of the log.'),
  driver: fixed('Which kind of transport it is.'),
  envelope_to_add: flag('Adds an Envelope-to: line with the addresses that led here.'),
  event_action: template('Expanded when something worth recording happens in a delivery.'),
  group: groupOfUser('user', group('The group that a local delivery runs as.')),
  headers_add: repeatedList('Header lines that are added.', '\n'),
  headers_only: flag('Delivers the header lines without the body.'),
  headers_remove: repeatedList('Names of header lines that are left out.', ':'),
  headers_rewrite: fixed('Rewriting rules for addresses in the header lines.'),
  home_directory: template('The directory that $home stands for in a local delivery.'),
  initgroups: flag('Gives a local delivery all groups that its user belongs to.'),
  max_parallel: template('How many deliveries it may make at a time; 0 for no limit.'),
  message_size_limit: template('The greatest size of a message it delivers; 0 for no limit.'),
  rcpt_include_affixes: flag('Puts prefix and suffix of the local part back where recipients are named.'),
  retry_use_local_part: dependsOn(
    flag('Remembers temporary failures for the whole address and not for its domain.'),
    'driver',
    ({ driver }) => (driver.isLocal ? 'true' : undefined),
  ),
  return_path: template('The sender of the envelope, in place of the one the message has.'),
  return_path_add: flag('Adds a Return-path: line.'),
  shadow_condition: template('Whether a delivery is repeated by the shadow transport.'),
  shadow_transport: fixed('A transport that repeats each delivery, whatever comes of it.'),
  transport_filter: template('A command that the message runs through on its way.'),
  transport_filter_timeout: time('How long the filter may take.', 300),
  user: user('The user that a local delivery runs as.'),
} satisfies OptionTable;

export type TransportCommonOptions = OptionsOf<typeof transportCommonOptions>;
