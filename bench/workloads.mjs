/** What is measured: a cell is one line of the table for each server, with the arguments of the load generator. */

/** The port of the load generator's own receiver, where relayed mail arrives. */
export const sink = 2599;

const deliver = (connections) => (messages, perConnection) => ['-c', connections, '-n', messages, '-k', perConnection];

/**
 * `messages` is for a server of weight 1. `counts` says what a run counts: mail that lies in a Maildir and is read
 * back, mail that arrived at the sink, or recipients that were rejected.
 */
const workloads = new Map([
  [
    'm1',
    (concurrency) =>
      concurrency.flatMap((connections) =>
        [1, 50].map((perConnection) => ({
          id: `m1 c${connections}, ${perConnection} per connection`,
          messages: connections === 1 ? 200 : 400,
          counts: 'delivered',
          words: (messages) => deliver(connections)(messages, perConnection),
        })),
      ),
  ],
  [
    'm2',
    () => [
      {
        id: 'm2 to 50 users each',
        messages: 10,
        counts: 'delivered',
        words: (messages) => [...deliver(4)(messages, 10), '-r', 50],
      },
    ],
  ],
  [
    'm3',
    () =>
      [
        [9, 400],
        [100, 100],
      ].map(([rejects, messages]) => ({
        id: `m3 ${rejects} rejects per connection`,
        messages,
        counts: 'rejected',
        words: (connections) => ['-c', 10, '-n', connections, '-R', rejects],
      })),
  ],
  [
    'm4',
    () => [
      {
        id: 'm4 relay c10',
        messages: 300,
        counts: 'relayed',
        words: (messages) => [...deliver(10)(messages, 50), '-S', sink, '-d', 'relay.test'],
      },
    ],
  ],
]);

/** The cells of the workloads that are named. @throws TypeError for a name there is not */
export function cellsOf(names, concurrency) {
  return names.flatMap((name) => {
    const cells = workloads.get(name);
    if (cells === undefined) throw new TypeError(`there is no workload "${name}": ${[...workloads.keys()].join(' ')}`);
    return cells(concurrency);
  });
}
