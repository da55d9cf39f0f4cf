/** Options of the redirect router (Exim spec 22). */

import { fixed, flag, octal, template } from '../options/kinds.ts';
import { groupList, userList } from '../options/name-lists.ts';
import { dependsOn, type OptionRow, type OptionTable } from '../options/table.ts';

/** A check that is on when there is somebody to check for. */
const onWith = (row: OptionRow<boolean>, ...names: readonly string[]): OptionRow<boolean> =>
  dependsOn(row, names.join(', '), ({ values }) =>
    names.some((name) => values[name] !== undefined && values[name] !== false) ? 'true' : undefined,
  );

/** What cannot be undone for one time only is forbidden. */
const onWithOneTime = (row: OptionRow<boolean>): OptionRow<boolean> =>
  dependsOn(row, 'one_time', ({ values }) => (values['one_time'] === true ? 'true' : undefined), { whenSet: true });

export const redirectOptions = {
  allow_defer: flag('Lets the data defer an address with :defer:.'),
  allow_fail: flag('Lets the data fail an address with :fail:.'),
  allow_filter: flag('Lets the data be an Exim or Sieve filter.'),
  allow_freeze: flag('Lets a filter freeze the message.'),
  check_ancestor: flag('Puts the address itself in the place of a new address that it came from.'),
  check_group: onWith(
    flag('Refuses a file whose group is not one of those allowed; on by itself when there are some.'),
    'owngroups',
  ),
  check_owner: onWith(
    flag('Refuses a file whose owner is not one of those allowed; on by itself when there are some.'),
    'check_local_user',
    'owners',
  ),
  data: template('The redirection data.'),
  directory_transport: template('The transport for new addresses that are directories.'),
  file: template('The file with the redirection data.'),
  file_transport: template('The transport for new addresses that are files.'),
  filter_prepend_home: flag('Puts the home directory before names without a slash that a filter saves to.', true),
  forbid_blackhole: flag('Refuses :blackhole: in the data.'),
  forbid_exim_filter: flag('Refuses Exim filters where filters are allowed.'),
  forbid_file: onWithOneTime(flag('Refuses files and directories as new addresses.')),
  forbid_filter_dlfunc: flag('Refuses ${dlfunc in filters.'),
  forbid_filter_existstest: flag('Refuses exists and ${stat in filters.'),
  forbid_filter_logwrite: flag('Refuses to let filters write logs.'),
  forbid_filter_lookup: flag('Refuses ${lookup in filters.'),
  forbid_filter_perl: flag('Refuses ${perl in filters.'),
  forbid_filter_readfile: flag('Refuses ${readfile in filters.'),
  forbid_filter_readsocket: flag('Refuses ${readsocket in filters.'),
  forbid_filter_reply: onWithOneTime(flag('Refuses to let filters send messages.')),
  forbid_filter_run: flag('Refuses ${run in filters.'),
  forbid_include: flag('Refuses :include: in the data.'),
  forbid_pipe: onWithOneTime(flag('Refuses commands as new addresses.')),
  forbid_sieve_filter: flag('Refuses Sieve filters where filters are allowed.'),
  forbid_smtp_code: flag('Drops an SMTP code from the start of a :fail: or :defer: text.'),
  hide_child_in_errmsg: flag('Keeps new addresses out of bounce messages.'),
  ignore_eacces: flag('Declines when the file may not be read.'),
  ignore_enotdir: flag('Declines when a directory of the path is none.'),
  include_directory: fixed('The directory that included files must be in.'),
  modemask: octal('Permissions that the file must not have.', 0o022),
  one_time: flag('Puts the new addresses in the place of the old one for good after the first attempt.'),
  owners: userList('Users who may own the file.'),
  owngroups: groupList('Groups that the file may belong to.'),
  pipe_transport: template('The transport for new addresses that are commands.'),
  qualify_domain: template('The domain for new addresses that have none.'),
  qualify_preserve_domain: flag('Gives new addresses without a domain the one of the old address.'),
  repeat_use: flag('Also takes addresses that this router already made something else of.', true),
  reply_transport: template('The transport for messages that a filter sends.'),
  rewrite: flag('Applies the rewriting rules to new addresses.', true),
  sieve_enotify_mailto_owner: template('The address that notifications of a Sieve filter come from.'),
  sieve_subaddress: template('What a Sieve filter takes for the detail of the address.'),
  sieve_useraddress: template('What a Sieve filter takes for the user of the address.'),
  sieve_vacation_directory: template('The directory in which a Sieve filter notes whom it answered.'),
  skip_syntax_errors: flag('Leaves out what cannot be understood in the data instead of deferring.'),
  syntax_errors_text: template('Text of the message about syntax errors.'),
  syntax_errors_to: fixed('Who is told about syntax errors that were left out.'),
} satisfies OptionTable;
