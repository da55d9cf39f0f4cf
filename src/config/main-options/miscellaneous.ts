/** Main options on various subjects (Exim spec 14.1). */

import { fixed, flag, size, stringList, template, time } from '../../options/kinds.ts';
import { neverEffective, type OptionTable } from '../../options/table.ts';

export const miscellaneous = {
  add_environment: stringList('Variables, as name=value, that are put into the environment of the server.'),
  allow_insecure_tainted_data: neverEffective(
    flag(
      'Let an old version use untrusted data as file names with a mere warning; untrusted data is always refused.',
      true,
    ),
    'data from outside never names files or programs here',
  ),
  bi_command: fixed('The command that the -bi command line option runs.'),
  debug_store: flag('Makes memory management check itself more often, for hunting faults.'),
  disable_fsync: neverEffective(
    flag('Would leave out the wait until messages are on disk; they are always waited for.'),
    'a message that was acknowledged is on disk, whatever else is set; Exim as Debian builds it refuses the option',
  ),
  disable_ipv6: flag('Leaves IPv6 alone: no such addresses are looked up, listened on or connected to.'),
  exim_version: fixed('The version number that is shown to others.'),
  keep_environment: stringList('Names of environment variables that are kept; all others are dropped at the start.'),
  keep_malformed: time('How long a broken spool file stays before it is removed.', 345_600),
  local_scan_path: neverEffective(
    fixed('The program library with a local_scan function.'),
    'this program loads no functions in C',
  ),
  localhost_number: template(
    'A number for this host, put into message ids so that several hosts never choose the same.',
  ),
  message_body_newlines: flag('Leaves newlines in $message_body as they are instead of turning them into spaces.'),
  message_body_visible: size('How many octets of a body $message_body and $message_body_end can show.', 500),
  mua_wrapper: flag('Makes a call from a mail program wait for one delivery attempt and report how it ended.'),
  print_topbitchars: flag('Shows octets above 127 in output as they are rather than as escape sequences.'),
  spool_wireformat: neverEffective(
    flag('Writes bodies to the spool with CRLF line ends when they came that way.'),
    'bodies lie on the spool with LF alone, as all readers of a spool understand them',
  ),
  timezone: fixed("The time zone in which times are logged; empty for the system's."),
} satisfies OptionTable;
