/**
 * The measurement with large tables, within the name spaces that ns.sh makes: for each kind of table all servers are started
 * and asked about recipients in rounds that alternate the order. Ends with 1 when an answer was wrong.
 */

import { spawnSync } from 'node:child_process';
import { appendFileSync } from 'node:fs';
import { loadavg } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { GroupedServer } from './grouped-server.mjs';
import { endWith, inTurns, note } from './measurement.mjs';
import { describeScale } from './report.mjs';
import { readScaleOptions } from './scale-options.mjs';
import { scaleServers } from './scale-servers.mjs';
import { makeCdb, startLdap, startPostgresql } from './scale-tables.mjs';

const bench = dirname(fileURLToPath(import.meta.url));
const options = readScaleOptions(process.argv.slice(2));
const work = process.env.BENCH_WORK ?? '';

/** Makes the tables of a kind; how many users and domains they have, and the queries that were asked of them so far. */
const makers = {
  async cdb({ users, domains }) {
    return { users, domains, cdb: makeCdb(work, users, domains), queries: () => Number.NaN, stop: () => undefined };
  },
  async pgsql({ users, domains }) {
    return { users, domains, ...(await startPostgresql(work, users, domains)) };
  },
  async ldap({ users, domains }) {
    const fewer = { users: Math.ceil(users / 10), domains: Math.ceil(domains / 10) };
    return { ...fewer, queries: () => Number.NaN, ...(await startLdap(work, fewer.users, fewer.domains)) };
  },
};

async function run(kind, tables, server, round) {
  await server.quiet();
  const [cpu, queries] = [server.group.seconds(), tables.queries()];
  const words = [server.port, options.concurrency, options.seconds, tables.users, tables.domains].map(String);
  const { stdout, status } = spawnSync(process.execPath, [join(bench, 'load/recipients.mjs'), ...words], {
    stdio: ['ignore', 'pipe', 'inherit'],
    timeout: (options.seconds + 60) * 1000,
  });
  const memory = server.group.memory();
  await server.quiet();
  const found = status === 0 ? JSON.parse(stdout.toString()) : { answered: 0, wrong: 1, seconds: Number.NaN };
  const result = {
    cell: kind,
    server: server.name,
    round,
    rate: found.answered / found.seconds,
    cpuPerThousand: ((server.group.seconds() - cpu) / found.answered) * 1000,
    queries: (tables.queries() - queries) / found.answered,
    good: found.wrong === 0,
    load: loadavg()[0],
    ...found,
    ...memory,
  };
  note(`${kind}, ${server.name}: ${result.rate.toFixed(0)}/s CPU ${result.cpuPerThousand.toFixed(3)} s/1000`);
  if (options.out !== undefined) appendFileSync(options.out, `${JSON.stringify(result)}\n`);
  return result;
}

async function measureKind(kind) {
  note(`${kind}: making the tables`);
  const tables = await makers[kind](options);
  const servers = options.servers.map((name) => {
    const server = new GroupedServer(name, join(work, kind));
    server.port = scaleServers.get(name).port;
    return server;
  });
  try {
    for (const server of servers) {
      const place = { run: server.run, port: server.port, tables: kind, socket: '/nowhere', ...tables };
      const command = scaleServers.get(server.name).start({ ...place, profile: options.profile, tree: options.tree });
      await server.launch(command, server.port);
    }
    const decide = (_, server, round) => run(kind, tables, server, round);
    for (const server of servers) await decide(kind, server, 'warm-up');
    return await inTurns([kind], options.rounds, servers, decide);
  } finally {
    for (const server of servers) await server.stop();
    tables.stop();
  }
}

await endWith(async () => {
  const results = [];
  for (const kind of options.tables) results.push(...(await measureKind(kind)));
  process.stdout.write(describeScale(options.tables, options.servers, results));
  return results;
});
