/**
 * A compact index for tables that are too large to be kept: it remembers the hash of each key and the place in a file
 * where the key stands, about 20 octets for each key, and leaves it to the caller to compare the keys themselves.
 * Entries are found in the order in which they were added, so the first of two equal keys wins.
 */

export class HashIndex {
  #hashes = new Uint32Array(1024);
  #places = new Float64Array(1024);
  /** Numbers of entries, counted from 1; 0 is a free slot. At most half of the slots are taken. */
  #slots = new Uint32Array(2048);
  #count = 0;

  get count(): number {
    return this.#count;
  }

  /** The hash of an entry, an unsigned number of 32 bits. */
  hashOf(entry: number): number {
    return this.#hashes[entry] ?? 0;
  }

  placeOf(entry: number): number {
    return this.#places[entry] ?? 0;
  }

  /** Says that the key of an entry now stands elsewhere. */
  move(entry: number, place: number): void {
    this.#places[entry] = place;
  }

  /** Adds a key without asking whether it is there. */
  add(hash: number, place: number): void {
    if (this.#count === this.#hashes.length) this.#grow();
    const entry = this.#count++;
    this.#hashes[entry] = hash;
    this.#places[entry] = place;
    this.#enter(entry);
  }

  /** The first entry with this hash whose key `isKey` recognises by its place. */
  find(hash: number, isKey: (place: number) => boolean): number | undefined {
    const wanted = hash >>> 0;
    for (let slot = this.#firstSlot(wanted); ; slot = (slot + 1) & (this.#slots.length - 1)) {
      const entry = (this.#slots[slot] ?? 0) - 1;
      if (entry < 0) return undefined;
      if (this.#hashes[entry] === wanted && isKey(this.placeOf(entry))) return entry;
    }
  }

  /** Spreads the hash, as those of similar keys differ in few bits, and takes its upper bits. */
  #firstSlot(hash: number): number {
    return Math.imul(hash, 0x9e3779b1) >>> (Math.clz32(this.#slots.length) + 1);
  }

  #enter(entry: number): void {
    let slot = this.#firstSlot(this.hashOf(entry));
    while (this.#slots[slot] !== 0) slot = (slot + 1) & (this.#slots.length - 1);
    this.#slots[slot] = entry + 1;
  }

  #grow(): void {
    const hashes = new Uint32Array(this.#hashes.length * 2);
    const places = new Float64Array(this.#places.length * 2);
    hashes.set(this.#hashes);
    places.set(this.#places);
    this.#hashes = hashes;
    this.#places = places;
    this.#slots = new Uint32Array(hashes.length * 2);
    for (let entry = 0; entry < this.#count; entry++) this.#enter(entry);
  }
}
