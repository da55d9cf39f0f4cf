/** The list of all expansion items (Exim spec 11.5). */

import type { Item } from './evaluate.ts';
import { choiceItems } from './items/choices.ts';
import { listItems } from './items/lists.ts';
import { lookup } from './items/lookup.ts';
import { outsideItems } from './items/outside.ts';
import { sg } from './items/sg.ts';
import { textItems } from './items/text.ts';

export const items: ReadonlyMap<string, Item> = new Map(
  [...choiceItems, ...listItems, lookup, ...outsideItems, sg, ...textItems].map((item) => [item.name, item]),
);
