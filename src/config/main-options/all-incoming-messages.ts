/** Main options about every message that comes in (Exim spec 14.15). */

import { flag, integer, template } from '../../options/kinds.ts';
import type { OptionTable } from '../../options/table.ts';

const receivedHeader = [
  'Received: ${if def:sender_rcvhost {from $sender_rcvhost\\n\\t}',
  '{${if def:sender_ident {from ${quote_local_part:$sender_ident} }}',
  '${if def:sender_helo_name {(helo=$sender_helo_name)\\n\\t}}}}',
  'by $primary_hostname ',
  '${if def:received_protocol {with $received_protocol }}',
  '${if def:tls_in_ver        { ($tls_in_ver)}}',
  '${if def:tls_in_cipher_std { tls $tls_in_cipher_std\\n\\t}}',
  '(Tabella $tabella_version)\\n\\t',
  '${if def:sender_address {(envelope-from <$sender_address>)\\n\\t}}',
  'id $message_exim_id',
  '${if def:received_for {\\n\\tfor $received_for}}',
].join('');

export const allIncomingMessages = {
  received_header_text: template('How the Received: line of a message is made.', receivedHeader),
  received_headers_max: integer('A message with more Received: lines is taken for one that runs in circles.', 30),
  recipients_max: integer('How many recipients a message may have; 0 for no limit.', 50_000),
  recipients_max_reject: flag('Refuses the whole message that has too many recipients, and for good.'),
} satisfies OptionTable;
