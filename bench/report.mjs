/** The tables that are printed in the end: medians of the rounds, and ratios to Exim. */

const median = (numbers) => {
  const sorted = numbers.toSorted((one, other) => one - other);
  return ((sorted[(sorted.length - 1) >> 1] ?? Number.NaN) + (sorted[sorted.length >> 1] ?? Number.NaN)) / 2;
};

const row = (values) => `| ${values.join(' | ')} |\n`;
const head = (names) => row(names) + row(names.map(() => '---'));

/** One line for each cell and server. A row says NO where a run lost, damaged or doubled mail, or did not end in time. */
export function describeResults(cells, servers, results) {
  const base = servers.includes('exim') ? 'exim' : servers[0];
  const lines = cells.flatMap(({ id }) => {
    const runsOf = (server) => results.filter((run) => run.cell === id && run.server === server);
    const baseRate = median(runsOf(base).map(({ rate }) => rate));
    return servers.flatMap((server) => {
      const runs = runsOf(server);
      if (runs.length === 0) return [];
      const middle = (key) => median(runs.map((run) => run[key]));
      const rates = runs.map(({ rate }) => rate);
      return row([
        id,
        server,
        middle('rate').toFixed(0),
        `${Math.min(...rates).toFixed(0)}..${Math.max(...rates).toFixed(0)}`,
        (middle('rate') / baseRate).toFixed(2),
        middle('p50_ms').toFixed(1),
        middle('p99_ms').toFixed(1),
        middle('cpuPerThousand').toFixed(2),
        middle('proportional').toFixed(0),
        Math.max(...runs.map(({ processes }) => processes)),
        runs.every(({ good }) => good) ? 'yes' : 'NO',
      ]);
    });
  });
  const names = ['workload', 'server', 'per second', 'min..max', `ratio to ${base}`, 'p50 ms', 'p99 ms'];
  return head([...names, 'CPU s/1000', 'peak PSS MB', 'processes', 'complete']) + lines.join('');
}

/** One line for each cell and server, with ratios to Dovecot. A row says NO where a client was not served. */
export function describeReading(cells, servers, results) {
  const base = servers.includes('dovecot') ? 'dovecot' : servers[0];
  const lines = cells.flatMap(({ id, counts }) => {
    const runsOf = (server) => results.filter((run) => run.cell === id && run.server === server);
    const baseRate = median(runsOf(base).map(({ rate }) => rate));
    return servers.map((server) => {
      const runs = runsOf(server);
      const middle = (key) => median(runs.map((run) => run[key]));
      const rates = runs.map(({ rate }) => rate);
      return row([
        id,
        server,
        `${middle('rate').toFixed(0)} ${counts}`,
        `${Math.min(...rates).toFixed(0)}..${Math.max(...rates).toFixed(0)}`,
        (middle('rate') / baseRate).toFixed(2),
        middle('octets') > 0 ? (median(runs.map((run) => run.octets / run.seconds)) / 1e6).toFixed(0) : '',
        middle('cpuPerThousand').toFixed(3),
        middle('proportional').toFixed(0),
        runs.every(({ good }) => good) ? 'yes' : 'NO',
      ]);
    });
  });
  const names = ['what', 'server', 'per second', 'min..max', `ratio to ${base}`, 'MB/s', 'CPU s/1000', 'PSS MB'];
  return head([...names, 'complete']) + lines.join('');
}

/** Time, CPU and memory of each server before it has served anything (m5). */
export function describeStarts(starts) {
  const lines = starts.map(({ server, milliseconds, cpu, proportional, resident, processes }) =>
    row([
      server,
      milliseconds.toFixed(0),
      cpu.toFixed(2),
      proportional.toFixed(1),
      resident.toFixed(1),
      String(processes),
    ]),
  );
  return head(['server', 'start ms', 'start CPU s', 'idle PSS MB', 'idle RSS sum MB', 'processes']) + lines.join('');
}

/** One line for each kind of table and server, with ratios to Exim. A row says NO where an answer was wrong. */
export function describeScale(kinds, servers, results) {
  const base = servers.includes('exim') ? 'exim' : servers[0];
  const lines = kinds.flatMap((kind) => {
    const runsOf = (server) => results.filter((run) => run.cell === kind && run.server === server);
    const baseRate = median(runsOf(base).map(({ rate }) => rate));
    return servers.map((server) => {
      const runs = runsOf(server);
      const middle = (key) => median(runs.map((run) => run[key]));
      return row([
        kind,
        server,
        middle('rate').toFixed(0),
        (middle('rate') / baseRate).toFixed(2),
        middle('cpuPerThousand').toFixed(3),
        Number.isNaN(middle('queries')) ? '' : middle('queries').toFixed(2),
        middle('proportional').toFixed(0),
        runs.every(({ good }) => good) ? 'yes' : 'NO',
      ]);
    });
  });
  const names = [
    'tables',
    'server',
    'recipients per second',
    `ratio to ${base}`,
    'CPU s/1000',
    'queries each',
    'PSS MB',
  ];
  return head([...names, 'right']) + lines.join('');
}
