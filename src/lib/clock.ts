/** The only reader of the system's clock, so that tests can set the time. */

let offset: number | undefined;

/** Milliseconds since 1970. */
export function now(): number {
  return offset ?? Date.now();
}

/** Whole seconds since 1970. */
export function seconds(): number {
  return Math.floor(now() / 1000);
}

/**
 * Microseconds since 1970, of one clock that is read once: a second and a fraction of two clocks, or of two looks, may
 * belong to two seconds. The system's clock has milliseconds; the three digits behind them tell apart what falls into one.
 */
export function microseconds(): number {
  const digits = offset === undefined ? Math.floor(performance.now() * 1000) % 1000 : 0;
  return Math.floor(now()) * 1000 + digits;
}

/** Milliseconds that only ever grow, for measuring how long something takes. */
export function elapsed(): number {
  return performance.now();
}

/** Stops the clock at `milliseconds` since 1970; `undefined` lets it run again. For tests. */
export function stopClock(milliseconds: number | undefined): void {
  offset = milliseconds;
}
