/** Input that must have ended at some time. */

/** The time is over. */
export class TimedOut extends Error {}

/** The input, for so many milliseconds; 0 for ever. @throws TimedOut */
export async function* withDeadline<T>(input: AsyncIterable<T>, milliseconds: number): AsyncGenerator<T> {
  if (milliseconds === 0) {
    yield* input;
    return;
  }
  const source = input[Symbol.asyncIterator]();
  const { promise: late, resolve } = Promise.withResolvers<'late'>();
  const timer = setTimeout(resolve, milliseconds, 'late');
  let isWaiting = true;
  try {
    for (;;) {
      isWaiting = true;
      const next = await Promise.race([source.next(), late]);
      if (next === 'late') throw new TimedOut();
      isWaiting = false;
      if (next.done === true) return;
      yield next.value;
    }
  } finally {
    clearTimeout(timer);
    // a source that is being waited for cannot be closed before it has answered
    if (!isWaiting) await source.return?.();
  }
}
