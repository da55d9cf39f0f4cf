/**
 * Options of the appendfile transport (Exim spec 26). Those that begin a message, end it, escape its lines or lock its
 * file have other values than these when the format of the mailbox demands it and they are not set.
 */

import type { Template } from '../expand/expand.ts';
import { expandedFlag, fixed, flag, integer, octal, template, time } from '../options/kinds.ts';
import type { OptionTable } from '../options/table.ts';

export const appendfileOptions = {
  allow_fifo: flag('Delivers to named pipes.'),
  allow_symlink: flag('Delivers to a file whose name is a symbolic link.'),
  batch_id: template('Addresses for which this comes out the same are delivered together.'),
  batch_max: integer('How many addresses one delivery may be for.', 1),
  check_group: flag('Demands that an existing file belongs to the group of the delivery.'),
  check_owner: flag('Demands that an existing file belongs to the user of the delivery.', true),
  check_string: fixed('Lines of a body that begin with this are escaped.', 'From '),
  create_directory: flag('Makes directories that are not there.', true),
  create_file: fixed('Where files may be made: anywhere, inhome, belowhome, or below a given directory.', 'anywhere'),
  directory: template('The directory in which each message gets a file.'),
  directory_file: template('The name of such a file.', 'q${base62:$tod_epoch}-$inode'),
  directory_mode: octal('Permissions of directories that are made.', 0o700),
  escape_string: fixed('What stands in an escaped line for the text of check_string.', '>From '),
  file: template('The mailbox file that messages are appended to.'),
  file_format: fixed('How mailbox files begin, and the transport for each kind.'),
  file_must_exist: flag('Delivers to no file that is not there.'),
  lock_fcntl_timeout: time('How long one attempt waits for an fcntl lock; 0s not at all.', 0),
  lock_flock_timeout: time('How long one attempt waits for a flock lock; 0s not at all.', 0),
  lock_interval: time('How long to wait between attempts to lock.', 3),
  lock_retries: integer('How often locking is attempted.', 10),
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
  maildir_use_size_file: expandedFlag('Keeps the sum of a maildir in a file maildirsize.'),
  maildirfolder_create_regex: fixed('A regular expression for directories in which a file maildirfolder is made.'),
  mailstore_format: flag('Each message gets two files, one of them with the envelope.'),
  mailstore_prefix: template('Text before the envelope in mailstore format.'),
  mailstore_suffix: template('Text behind the envelope in mailstore format.'),
  mbx_format: flag('Mailbox files have MBX format.'),
  message_prefix: template(
    'Text before each message.',
    'From ${if def:return_path{$return_path}{MAILER-DAEMON}} ${tod_bsdinbox}\\n',
  ),
  message_suffix: template('Text behind each message.', '\\n'),
  mode: octal('Permissions of mailbox files.', 0o600),
  mode_fail_narrower: flag('Delivers to no file that has fewer permissions than mode says.', true),
  notify_comsat: flag('Tells the comsat daemon of each delivery.'),
  quota: template('The greatest size of a mailbox; 0 for no limit.'),
  quota_directory: template('The directory that counts for the quota, when it is not the one delivered to.'),
  quota_filecount: template('The greatest number of files in a mailbox; 0 for no limit.'),
  quota_is_inclusive: flag('Counts the message that is being delivered for the quota.', true),
  quota_size_regex: fixed('A regular expression that finds the size of a message in its file name.'),
  quota_warn_message: template('The message that warns of a mailbox that gets full.'),
  quota_warn_threshold: template('The size, or share of the quota, beyond which a warning is sent.'),
  use_bsmtp: flag('Writes messages in batch SMTP format.'),
  use_crlf: flag('Ends lines with carriage return and newline.'),
  use_fcntl_lock: flag('Locks files with fcntl.', true),
  use_flock_lock: flag('Locks files with flock.'),
  use_lockfile: flag('Locks files with a lock file beside them.', true),
  use_mbx_lock: flag('Locks files the way MBX mailboxes are locked; on by itself for that format.'),
} satisfies OptionTable;

/** `-bP` shows the text of maildir_use_size_file twice; this is the line before all other options of the transport. */
export function expandedSizeFileLine(value: boolean | Template): string {
  return `*expand_maildir_use_size_file = ${typeof value === 'boolean' ? '' : value.source}`;
}
