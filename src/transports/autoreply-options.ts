/** Options of the autoreply transport (Exim spec 27). */

import { addressList, flag, integer, octal, template } from '../options/kinds.ts';
import type { OptionTable } from '../options/table.ts';

export const autoreplyOptions = {
  bcc: template('Further recipients that the message does not show.'),
  cc: template('The Cc: line.'),
  file: template('A file whose text is sent.'),
  file_expand: flag('Expands the lines of that file.'),
  file_optional: flag('Sends the message without the file when it is not there.'),
  from: template('The From: line.'),
  headers: template('Further header lines.'),
  log: template('A file that notes each message sent.'),
  mode: octal('Permissions of files that are made.', 0o600),
  never_mail: addressList('Addresses that nothing is sent to.'),
  once: template('A file that remembers who was sent a message, so that none gets a second.'),
  once_file_size: integer('The greatest size of that file, which then forgets the oldest; 0 for no limit.', 0),
  once_repeat: template('After what time one gets a message again; 0s for never.'),
  reply_to: template('The Reply-To: line.'),
  return_message: flag('Sends the message that is answered along.'),
  subject: template('The Subject: line.'),
  text: template('The text that is sent.'),
  to: template('The To: line.'),
} satisfies OptionTable;
