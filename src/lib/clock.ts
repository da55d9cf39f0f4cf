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

/** Microseconds within the current second, as fine as the system tells. */
export function microseconds(): number {
  if (offset !== undefined) return (offset % 1000) * 1000;
  return Math.floor((performance.timeOrigin + performance.now()) * 1000) % 1_000_000;
}

/** Milliseconds that only ever grow, for measuring how long something takes. */
export function elapsed(): number {
  return performance.now();
}

/** Stops the clock at `milliseconds` since 1970; `undefined` lets it run again. For tests. */
export function stopClock(milliseconds: number | undefined): void {
  offset = milliseconds;
}
