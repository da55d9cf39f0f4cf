/** What all measurements have in common: an end that leaves no server behind, and rounds that alternate the order. */

export const note = (text) => process.stderr.write(`${text}\n`);

/** Ends `servers` with the measurement, should it be interrupted. */
export function killOnSignals(servers) {
  for (const signal of ['SIGTERM', 'SIGINT']) {
    process.on(signal, async () => {
      await Promise.all(servers.map((server) => server.kill()));
      process.exit(143);
    });
  }
}

/** What `run` measured of every cell: A B C, C B A, ... */
export async function inTurns(cells, rounds, servers, run) {
  const results = [];
  for (const cell of cells) {
    for (let round = 0; round < rounds; round++) {
      for (const server of round % 2 === 1 ? servers.toReversed() : servers) {
        results.push(await run(cell, server, round));
      }
    }
  }
  return results;
}

/** The program's end: 0 when all results that `measure` answers are good, 1 when one is not, 2 when it could not be done. */
export async function endWith(measure) {
  try {
    process.exitCode = (await measure()).every(({ good }) => good) ? 0 : 1;
  } catch (error) {
    note(error.message);
    process.exitCode = 2;
  }
}
