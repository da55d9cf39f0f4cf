/** Main options of the daemon (Exim spec 14.9, 13). */

import { integer, stringList, template, time } from '../../options/kinds.ts';
import { alsoCalled, type OptionTable } from '../../options/table.ts';

export const daemon = {
  daemon_smtp_ports: alsoCalled(
    stringList('Ports the daemon listens on where an interface names none.', 'smtp'),
    'daemon_smtp_port',
  ),
  daemon_startup_retries: integer('How often the daemon tries again to take an address that is in use.', 9),
  daemon_startup_sleep: time('How long the daemon waits between attempts to take an address.', 30),
  extra_local_interfaces: stringList(
    'Addresses that count as this host in routing, though the daemon does not listen on them.',
  ),
  local_interfaces: stringList(
    'Addresses, also with ports, that the daemon listens on and that count as this host in routing.',
    '<; ::0 ; 0.0.0.0',
  ),
  notifier_socket: template(
    'The socket by which other processes tell the daemon about work; empty for none.',
    '$spool_directory/exim_daemon_notify',
  ),
  pid_file_path: template('The file into which the daemon writes its process id.'),
  queue_run_max: template('How many queue runners the daemon starts at most; 0 for no limit.', '5'),
  smtp_backlog_monitor: integer('Logs when more connections than this wait to be accepted; 0 for never.', 0),
} satisfies OptionTable;
