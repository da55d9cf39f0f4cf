/** Options of the appendfile transport (Exim spec 26). */

import type { Template } from '../expand/expand.ts';
import { expandedFlag, fixed, flag, integer, octal, template, time } from '../options/kinds.ts';
import { dependsOn, type Instance, type OptionTable, type Twin } from '../options/table.ts';
import { shape } from './shape-options.ts';

/** Options by which each message gets a file of its own, in which nothing needs to be escaped. */
const ownFile = ['directory', 'maildir_format', 'mailstore_format'];

/** What the owner of a mailbox is told when nothing else is configured. */
export const standardWarning = [
  'To: $local_part@$domain\\n',
  'Subject: Your mailbox\\n\\n',
  'This message is automatically created by mail delivery software (Tabella).\\n\\n',
  'The size of your mailbox has exceeded a warning threshold that is\\n',
  'set by the system administrator.\\n',
].join('');

/** `-bP` shows the text of maildir_use_size_file once more under this name. */
const sizeFileText: Twin<boolean | Template> = {
  name: '*expand_maildir_use_size_file',
  text: (value) => (typeof value === 'boolean' ? '' : value.source),
};

const lockOptions = ['use_fcntl_lock', 'use_flock_lock', 'use_lockfile', 'use_mbx_lock'];

/** Whether MBX locks are used: they are asked for, or the format is MBX and nothing says how to lock. */
const locksAsMbx = ({ values, set }: Instance): boolean =>
  values['mbx_format'] === true && (values['use_mbx_lock'] === true || !lockOptions.some((name) => set.has(name)));

/** flock takes the place of fcntl, which is there all the same when asked for; an MBX lock needs one of them. */
const locksWithFcntl = (instance: Instance): boolean => {
  const { values, set } = instance;
  if (values['use_flock_lock'] === true) return set.has('use_fcntl_lock') && values['use_fcntl_lock'] === true;
  return values['use_fcntl_lock'] === true || locksAsMbx(instance);
};

export const appendfileOptions = {
  allow_fifo: flag('Delivers to named pipes.'),
  allow_symlink: flag('Delivers to a file whose name is a symbolic link.'),
  batch_id: template('Addresses for which this comes out the same are delivered together.'),
  batch_max: integer('How many addresses one delivery may be for.', 1),
  check_group: flag('Demands that an existing file belongs to the group of the delivery.'),
  check_owner: flag('Demands that an existing file belongs to the user of the delivery.', true),
  check_string: shape('check_string', fixed('Lines of a body that begin with this are escaped.', 'From '), ownFile),
  create_directory: flag('Makes directories that are not there.', true),
  create_file: fixed('Where files may be made: anywhere, inhome, belowhome, or below a given directory.', 'anywhere'),
  directory: template('The directory in which each message gets a file.'),
  directory_file: template('The name of such a file.', 'q${base62:$tod_epoch}-$inode'),
  directory_mode: octal('Permissions of directories that are made.', 0o700),
  escape_string: shape(
    'escape_string',
    fixed('What stands in an escaped line for the text of check_string.', '>From '),
    ownFile,
  ),
  file: template('The mailbox file that messages are appended to.'),
  file_format: fixed('How mailbox files begin, and the transport for each kind.'),
  file_must_exist: flag('Delivers to no file that is not there.'),
  lock_fcntl_timeout: dependsOn(
    time('How long one attempt waits for an fcntl lock; 0s not at all.', 0),
    'use_fcntl_lock, use_flock_lock, mbx_format',
    (instance) => (locksWithFcntl(instance) ? undefined : '0s'),
    { whenSet: true },
  ),
  lock_flock_timeout: dependsOn(
    time('How long one attempt waits for a flock lock; 0s not at all.', 0),
    'use_flock_lock',
    ({ values }) => (values['use_flock_lock'] === true ? undefined : '0s'),
    { whenSet: true },
  ),
  lock_interval: time('How long to wait between attempts to lock.', 3),
  lock_retries: dependsOn(
    integer('How often locking is attempted.', 10),
    'the setting',
    ({ values }) => (Number(values['lock_retries']) < 1 ? '1' : undefined),
    { whenSet: true },
  ),
  lockfile_mode: octal('Permissions of lock files.', 0o600),
  lockfile_timeout: time('How old a lock file must be to be taken for forgotten.', 1800),
  mailbox_filecount: template('How many files a mailbox has, when it is known without counting.'),
  mailbox_size: template('How big a mailbox is, when it is known without adding up.'),
  maildir_format: flag('The directory is a maildir.'),
  maildir_quota_directory_regex: fixed(
    'A regular expression for the directories of a maildir that count for the quota.',
    String.raw`^(?:cur|new|\..*)$`,
  ),
  maildir_retries: integer('How often a file name in a maildir is tried.', 10),
  maildir_tag: template('Text behind the name of a file in a maildir.'),
  maildir_use_size_file: {
    ...expandedFlag('Keeps the sum of a maildir in a file maildirsize.'),
    twin: sizeFileText,
  },
  maildirfolder_create_regex: fixed('A regular expression for directories in which a file maildirfolder is made.'),
  mailstore_format: flag('Each message gets two files, one of them with the envelope.'),
  mailstore_prefix: template('Text before the envelope in mailstore format.'),
  mailstore_suffix: template('Text behind the envelope in mailstore format.'),
  mbx_format: flag('Mailbox files have MBX format.'),
  message_prefix: shape(
    'message_prefix',
    template('Text before each message.', 'From ${if def:return_path{$return_path}{MAILER-DAEMON}} ${tod_bsdinbox}\\n'),
    ownFile,
  ),
  message_suffix: shape('message_suffix', template('Text behind each message.', '\\n'), ownFile),
  mode: octal('Permissions of mailbox files.', 0o600),
  mode_fail_narrower: flag('Delivers to no file that has fewer permissions than mode says.', true),
  notify_comsat: flag('Tells the comsat daemon of each delivery.'),
  quota: template('The greatest size of a mailbox; 0 for no limit.'),
  quota_directory: template('The directory that counts for the quota, when it is not the one delivered to.'),
  quota_filecount: template('The greatest number of files in a mailbox; 0 for no limit.'),
  quota_is_inclusive: flag('Counts the message that is being delivered for the quota.', true),
  quota_size_regex: fixed('A regular expression that finds the size of a message in its file name.'),
  quota_warn_message: dependsOn(
    template('The message that warns of a mailbox that gets full.'),
    'quota_warn_threshold',
    ({ values }) => (values['quota_warn_threshold'] === undefined ? undefined : standardWarning),
  ),
  quota_warn_threshold: template('The size, or share of the quota, beyond which a warning is sent.'),
  use_bsmtp: flag('Writes messages in batch SMTP format.'),
  use_crlf: flag('Ends lines with carriage return and newline.'),
  use_fcntl_lock: dependsOn(
    flag('Locks files with fcntl.', true),
    'use_flock_lock, mbx_format',
    (instance) => String(locksWithFcntl(instance)),
    { whenSet: true },
  ),
  use_flock_lock: flag('Locks files with flock.'),
  use_lockfile: dependsOn(flag('Locks files with a lock file beside them.', true), 'mbx_format', (instance) =>
    locksAsMbx(instance) ? 'false' : undefined,
  ),
  use_mbx_lock: dependsOn(
    flag('Locks files the way MBX mailboxes are locked; on by itself for that format.'),
    'mbx_format',
    (instance) => (locksAsMbx(instance) ? 'true' : undefined),
  ),
} satisfies OptionTable;
