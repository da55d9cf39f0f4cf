/** Main options about who may do what on this host (Exim spec 14.3). */

import { fixed, flag } from '../../options/kinds.ts';
import { groupList, userList } from '../../options/name-lists.ts';
import type { OptionTable } from '../../options/table.ts';

export const privilegeControls = {
  admin_groups: groupList('Members of these groups may administer the queue.'),
  commandline_checks_require_admin: flag('Lets only administrators test routing, filters and the like.'),
  deliver_drop_privilege: flag("Gives up root before deliveries begin, so that all run as the server's own user."),
  local_from_check: flag(
    'Compares From: of local submissions with the caller and adds a Sender: line when they differ.',
    true,
  ),
  local_from_prefix: fixed('Prefixes of the local part that the From: check overlooks.'),
  local_from_suffix: fixed('Suffixes of the local part that the From: check overlooks.'),
  local_sender_retain: flag('Leaves Sender: lines in messages from untrusted local users.'),
  never_users: userList('Users whom no delivery may run as.'),
  prod_requires_admin: flag('Lets only administrators start queue runs and forced deliveries.', true),
  queue_list_requires_admin: flag('Shows the queue only to administrators.', true),
  trusted_groups: groupList('Members of these groups may set any sender and the details of a connection.'),
  trusted_users: userList('These users may set any sender and the details of a connection.'),
} satisfies OptionTable;
