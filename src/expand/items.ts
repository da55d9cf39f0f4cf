/** The list of all expansion items (Exim spec 11.5). */

import type { Item } from './evaluate.ts';
import { absentItems } from './items/absent.ts';
import { authenticationResults } from './items/authentication-results.ts';
import { certificateItems } from './items/certificate.ts';
import { choiceItems } from './items/choices.ts';
import { imapFolder } from './items/imapfolder.ts';
import { listItems } from './items/lists.ts';
import { lookup } from './items/lookup.ts';
import { outsideItems } from './items/outside.ts';
import { perl } from './items/perl.ts';
import { sg } from './items/sg.ts';
import { signatureItems } from './items/signatures.ts';
import { readSocket } from './items/socket.ts';
import { textItems } from './items/text.ts';

export const items: ReadonlyMap<string, Item> = new Map(
  [
    ...choiceItems,
    ...listItems,
    lookup,
    ...outsideItems,
    readSocket,
    perl,
    ...signatureItems,
    imapFolder,
    authenticationResults,
    ...absentItems,
    ...certificateItems,
    sg,
    ...textItems,
  ].map((item) => [item.name, item]),
);
