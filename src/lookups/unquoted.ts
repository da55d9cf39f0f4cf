/** Tells once for each place of the configuration that a query has text from outside that was not quoted. */

import type { Context } from '../expand/context.ts';
import type { Text } from '../safe/taint.ts';

/** Places of the configuration whose queries were complained of. */
const complaintsKept = 1000;

export class UnquotedComplaints {
  readonly #complained = new Set<string>();

  /** The place is known by the pieces of the query that stand in the configuration. */
  complain(query: Text, context: Context): void {
    const place = query.pieces.map(({ value, taint }) => (taint === 'clean' ? value : '\0')).join('');
    if (this.#complained.has(place) || this.#complained.size >= complaintsKept) return;
    this.#complained.add(place);
    context.services.log(`tainted search query is not properly quoted: ${query.value}`);
  }
}
