/** Counts the commands of a session that bring no mail (Exim spec 14: smtp_accept_max_nonmail). */

/** Commands of which one between messages is not counted. */
const freeOnce: ReadonlyMap<string, string> = new Map([
  ['RSET', 'RSET'],
  ['HELO', 'HELO'],
  ['EHLO', 'HELO'],
  ['AUTH', 'AUTH'],
  ['STARTTLS', 'STARTTLS'],
]);

export class NonMailCount {
  #count = 0;
  /** Commands that were given free of charge since the last message. */
  readonly #used = new Set<string>();

  /** Notes a command; answers how many have been counted, or nothing when this one was not. */
  next(verb: string): number | undefined {
    if (verb === 'QUIT') return undefined;
    const free = freeOnce.get(verb);
    if (free === undefined || this.#used.has(free)) return ++this.#count;
    this.#used.add(free);
    return undefined;
  }

  /** A message has come: one of each is free again. */
  renew(): void {
    this.#used.clear();
  }
}
