/** Main options about Message-ID: lines that have to be made (Exim spec 14.7). */

import { template } from '../../options/kinds.ts';
import type { OptionTable } from '../../options/table.ts';

export const messageIds = {
  message_id_header_domain: template('The part behind the at sign of a Message-ID: that is made here.'),
  message_id_header_text: template('Text that is put before the at sign of a Message-ID: that is made here.'),
} satisfies OptionTable;
