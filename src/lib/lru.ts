/** A map of bounded size that forgets what was not used for longest. */
export class Cache<K, V> {
  readonly #entries = new Map<K, V>();
  readonly #limit: number;
  readonly #dropped: ((value: V) => void) | undefined;

  constructor(limit: number, dropped?: (value: V) => void) {
    this.#limit = limit;
    this.#dropped = dropped;
  }

  get(key: K): V | undefined {
    const value = this.#entries.get(key);
    if (value !== undefined) {
      this.#entries.delete(key);
      this.#entries.set(key, value);
    }
    return value;
  }

  set(key: K, value: V): void {
    this.delete(key);
    this.#entries.set(key, value);
    if (this.#entries.size > this.#limit) {
      for (const oldest of this.#entries.keys()) {
        this.delete(oldest);
        break;
      }
    }
  }

  delete(key: K): void {
    const value = this.#entries.get(key);
    if (value === undefined) return;
    this.#entries.delete(key);
    this.#dropped?.(value);
  }

  clear(): void {
    for (const key of [...this.#entries.keys()]) this.delete(key);
  }

  get size(): number {
    return this.#entries.size;
  }
}
