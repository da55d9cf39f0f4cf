/** Main options of the system filter (Exim spec 14.20, 47). */

import { group, template, user } from '../../options/kinds.ts';
import type { OptionTable } from '../../options/table.ts';

export const systemFilter = {
  system_filter: template('The filter file that is run for every message before routing.'),
  system_filter_directory_transport: template('The transport for what the filter saves in directories.'),
  system_filter_file_transport: template('The transport for what the filter saves in files.'),
  system_filter_group: group('The group the filter runs as.'),
  system_filter_pipe_transport: template('The transport for commands that the filter pipes to.'),
  system_filter_reply_transport: template('The transport for messages that the filter sends.'),
  system_filter_user: user('The user the filter runs as; that of the server when it is not set.'),
} satisfies OptionTable;
