/**
 * Values that are there now or will be. Most of an expansion is computed at once and only a few lookups wait, so the
 * evaluators return `T | Promise<T>` and pay for a promise only where one is needed.
 */

export type Eventual<T> = T | Promise<T>;

/** `next(value)`, now if the value is there, else when it comes. */
export function then<T, U>(value: Eventual<T>, next: (value: T) => Eventual<U>): Eventual<U> {
  return value instanceof Promise ? value.then(next) : next(value);
}

/** Runs `step` for each item in order, each after the one before; stops early when `step` answers `false`. */
export function inOrder<T>(
  items: readonly T[],
  step: (item: T, index: number) => Eventual<boolean | undefined>,
  from = 0,
): Eventual<void> {
  for (let i = from; i < items.length; i++) {
    const answer = step(items[i] as T, i);
    if (answer instanceof Promise)
      return answer.then((value) => (value === false ? undefined : inOrder(items, step, i + 1)));
    if (answer === false) return;
  }
}

/** Runs `last` after `work`, whether it succeeded or threw, now or later. */
export function lastly<T>(work: () => Eventual<T>, last: () => void): Eventual<T> {
  let value: Eventual<T>;
  try {
    value = work();
  } catch (error) {
    last();
    throw error;
  }
  if (value instanceof Promise) return value.finally(last);
  last();
  return value;
}
