/** Main options about logs (Exim spec 14.4, 53). */

import { fixed, flag, hostList, integer, template } from '../../options/kinds.ts';
import type { OptionTable } from '../../options/table.ts';

export const logging = {
  event_action: template('Expanded when something worth recording happens while mail comes in.'),
  hosts_connection_nolog: hostList('Hosts whose connections are not logged.'),
  log_file_path: template('Where the logs are written: file names with %s for the kind of log, or syslog.'),
  log_selector: fixed('What the logs leave out or show in addition.'),
  log_timezone: flag('Adds the offset from UTC to the times in the logs.'),
  message_logs: flag('Keeps a log of its own for each message on the queue.', true),
  preserve_message_logs: flag('Moves the log of a finished message to msglog.OLD rather than removing it.'),
  process_log_path: fixed('The file into which processes write what they do when asked by a signal.'),
  slow_lookup_log: integer('Logs DNS lookups that take longer than this many milliseconds; 0 for none.', 0),
  syslog_duplication: flag('Sends a line that is meant for two logs to syslog twice.', true),
  syslog_facility: fixed(
    'The facility under which syslog files our lines: mail, user, news, uucp, daemon, local0 to local7.',
  ),
  syslog_pid: flag('Puts the process id into lines for syslog.', true),
  syslog_processname: fixed('The name under which lines go to syslog; exim when it is not set.'),
  syslog_timestamp: flag('Puts our own time into lines for syslog.', true),
  write_rejectlog: flag('Writes a log of refused messages with their header lines.', true),
} satisfies OptionTable;
