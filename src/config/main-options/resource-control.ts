/** Main options that keep the load within bounds (Exim spec 14.10). */

import { fixedPoint, flag, hostList, integer, kilobytes, template } from '../../options/kinds.ts';
import type { OptionTable } from '../../options/table.ts';

export const resourceControl = {
  check_log_inodes: integer('Free inodes the log partition must have before a message is accepted.', 100),
  check_log_space: kilobytes('Free kilobytes the log partition must have before a message is accepted.', 10_240),
  check_spool_inodes: integer('Free inodes the spool partition must have before a message is accepted.', 100),
  check_spool_space: kilobytes('Free kilobytes the spool partition must have before a message is accepted.', 10_240),
  deliver_queue_load_max: fixedPoint('The load average above which queue runs deliver nothing.'),
  queue_only_load: fixedPoint('The load average above which new messages are only queued.'),
  queue_only_load_latch: flag('Goes on queueing for the rest of a connection once the load was too high.', true),
  remote_max_parallel: integer('How many remote deliveries of one message may run at a time.', 2),
  smtp_accept_max: integer('How many SMTP connections the daemon serves at a time; 0 for no limit.', 20),
  smtp_accept_max_nonmail: integer('How many commands that bring no mail a connection may give.', 10),
  smtp_accept_max_nonmail_hosts: hostList('Hosts whose commands that bring no mail are counted.', '*'),
  smtp_accept_max_per_connection: template('How many messages one connection may bring.', '1000'),
  smtp_accept_max_per_host: template('How many connections one host may have at a time.'),
  smtp_accept_queue: integer('With more connections than this, new messages are only queued; 0 for never.', 0),
  smtp_accept_queue_per_connection: integer('Messages beyond this number in one connection are only queued.', 10),
  smtp_accept_reserve: integer('How many of the connections are kept free for the reserve hosts.', 0),
  smtp_check_spool_space: flag('Also compares the SIZE that a client announces with the free spool space.', true),
  smtp_connect_backlog: integer('How many connections the system lets wait until the daemon takes them.', 20),
  smtp_load_reserve: fixedPoint('The load average above which only the reserve hosts are served.'),
  smtp_reserve_hosts: hostList('Hosts that are served even when load or connections are at the limit.'),
} satisfies OptionTable;
