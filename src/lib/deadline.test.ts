import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TimedOut, withDeadline } from './deadline.ts';

async function* dripping(count: number, pause: number): AsyncGenerator<number> {
  for (let i = 0; i < count; i++) {
    yield i;
    await new Promise((resolve) => setTimeout(resolve, pause));
  }
}

async function collected(input: AsyncIterable<number>): Promise<number[]> {
  const found: number[] = [];
  for await (const each of input) found.push(each);
  return found;
}

test('input that ends in time is handed on', async () => {
  assert.deepEqual(await collected(withDeadline(dripping(3, 1), 5000)), [0, 1, 2]);
  assert.deepEqual(await collected(withDeadline(dripping(3, 1), 0)), [0, 1, 2]);
});

test('the time is for all of the input, however often something comes', async () => {
  await assert.rejects(collected(withDeadline(dripping(100, 20), 100)), TimedOut);
});

test('input that is left early is closed', async () => {
  let closed = false;
  async function* source(): AsyncGenerator<number> {
    try {
      yield* [1, 2, 3];
    } finally {
      closed = true;
    }
  }
  for await (const each of withDeadline(source(), 1000)) if (each === 1) break;
  assert.ok(closed);
});
