/** The MD4 message digest (RFC 1320): the run-time's library no longer has it, and NTLM knows nothing else. Nothing else may. */

const shifts: readonly (readonly number[])[] = [
  [3, 7, 11, 19],
  [3, 5, 9, 13],
  [3, 9, 11, 15],
];
const constants = [0, 0x5a827999, 0x6ed9eba1] as const;

/** The order in which words of a block are taken, by round. */
const orders: readonly (readonly number[])[] = [
  [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15],
  [0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15],
  [0, 8, 4, 12, 2, 10, 6, 14, 1, 9, 5, 13, 3, 11, 7, 15],
];

const mixers: readonly ((x: number, y: number, z: number) => number)[] = [
  (x, y, z) => (x & y) | (~x & z),
  (x, y, z) => (x & y) | (x & z) | (y & z),
  (x, y, z) => x ^ y ^ z,
];

const rotated = (word: number, by: number): number => (word << by) | (word >>> (32 - by));

type State = readonly [number, number, number, number];

function afterBlock(state: State, block: Buffer): State {
  let [a, b, c, d] = state;
  for (const [round, mix] of mixers.entries()) {
    for (const [step, word] of (orders[round] ?? []).entries()) {
      const sum = (a + mix(b, c, d) + block.readInt32LE(4 * word) + (constants[round] ?? 0)) | 0;
      [a, b, c, d] = [d, rotated(sum, shifts[round]?.[step % 4] ?? 0), b, c];
    }
  }
  return [(state[0] + a) | 0, (state[1] + b) | 0, (state[2] + c) | 0, (state[3] + d) | 0];
}

/** The 16 octets of the digest. */
export function md4(octets: Buffer): Buffer {
  const padding = Buffer.alloc(((119 - (octets.length % 64)) % 64) + 9);
  padding[0] = 0x80;
  padding.writeBigUInt64LE(BigInt(octets.length) * 8n, padding.length - 8);
  const padded = Buffer.concat([octets, padding]);
  let state: State = [0x67452301, 0xefcdab89 | 0, 0x98badcfe | 0, 0x10325476];
  for (let at = 0; at < padded.length; at += 64) state = afterBlock(state, padded.subarray(at, at + 64));
  const digest = Buffer.alloc(16);
  for (const [i, word] of state.entries()) digest.writeInt32LE(word, 4 * i);
  return digest;
}
