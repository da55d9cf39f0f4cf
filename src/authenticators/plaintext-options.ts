/** Options of the plaintext authenticator (Exim spec 34). */

import { flag, template } from '../options/kinds.ts';
import type { OptionTable } from '../options/table.ts';

export const plaintextOptions = {
  client_ignore_invalid_base64: flag('Takes a prompt that is no base64 for an empty one.'),
  client_send: template('Texts that answer the prompts of the server, one after the other.'),
  server_prompts: template('Prompts for the client, one after the other.'),
} satisfies OptionTable;
