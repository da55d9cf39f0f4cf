/**
 * The measurement of reading, within the name spaces that ns.sh makes: starts all servers, warms each up, runs every cell
 * in rounds that alternate the order, and prints medians. Ends with 1 when a client was not served as it should be.
 */

import { spawnSync } from 'node:child_process';
import { appendFileSync } from 'node:fs';
import { loadavg } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { GroupedServer } from './grouped-server.mjs';
import { domain, makeTable, makeUserTable, userNumber } from './mailboxes.mjs';
import { endWith, inTurns, killOnSignals, note } from './measurement.mjs';
import { dropIndexes, fillMailboxes } from './reading-mail.mjs';
import { readReadingOptions } from './reading-options.mjs';
import { readingPeers } from './reading-peers.mjs';
import { describeReading, describeStarts } from './report.mjs';

const bench = dirname(fileURLToPath(import.meta.url));
const options = readReadingOptions(process.argv.slice(2));
const work = process.env.BENCH_WORK ?? '';
const users = makeUserTable(work, options.users);
const passwords = makeTable(work, 'passwords', options.users, () => 'secret');
const clients = Array.from({ length: options.concurrency }, (_, number) => `${userNumber(number)}@${domain}`);

class ReadServer extends GroupedServer {
  port;
  #maildirs;
  #mail;

  constructor(name) {
    super(name, work);
    this.port = readingPeers.get(name).port;
    this.#mail = join(work, `${name}.mail`);
    this.#maildirs = fillMailboxes(this.#mail, options.concurrency, options.messages);
  }

  start() {
    const { profile, tree, users: count } = options;
    const place = { run: this.run, mail: this.#mail, users, passwords, port: this.port, count, profile, tree };
    return this.launch(readingPeers.get(this.name).start(place), this.port);
  }

  dropIndexes() {
    dropIndexes(this.#maildirs);
  }
}

const fetching = { words: ({ port }) => ['fetch', port, clients[0]], counts: 'messages' };
const cells = [
  { id: 'login and all messages, no index', isCold: true, ...fetching },
  { id: 'login and all messages', isCold: false, ...fetching },
  {
    id: `logins, ${options.concurrency} clients`,
    isCold: false,
    words: ({ port }) => ['logins', port, options.logins, ...clients],
    counts: 'logins',
  },
];

async function run(cell, server, round) {
  if (cell.isCold) server.dropIndexes();
  await server.quiet();
  const before = server.group.seconds();
  const words = [join(bench, 'load/mailread.mjs'), ...cell.words(server).map(String)];
  const { stdout, status } = spawnSync(process.execPath, words, {
    stdio: ['ignore', 'pipe', 'inherit'],
    timeout: 60_000,
  });
  const memory = server.group.memory();
  await server.quiet();
  const expected = cell.counts === 'logins' ? options.logins : options.messages;
  const found = status === 0 ? JSON.parse(stdout.toString()) : { seconds: Number.NaN, count: 0, octets: 0 };
  const result = {
    cell: cell.id,
    server: server.name,
    round,
    rate: found.count / found.seconds,
    cpuPerThousand: ((server.group.seconds() - before) / expected) * 1000,
    good: found.count === expected,
    load: loadavg()[0],
    ...found,
    ...memory,
  };
  note(`${cell.id}, ${server.name}: ${result.rate.toFixed(0)}/s CPU ${result.cpuPerThousand.toFixed(3)} s/1000`);
  if (options.out !== undefined) appendFileSync(options.out, `${JSON.stringify(result)}\n`);
  return result;
}

const servers = options.servers.map((name) => new ReadServer(name));
killOnSignals(servers);

async function measure() {
  const starts = [];
  for (const server of servers) starts.push(await server.start());
  for (const server of servers) for (const cell of cells) await run(cell, server, 'warm-up');
  const results = await inTurns(cells, options.rounds, servers, run);
  process.stdout.write(`${describeReading(cells, options.servers, results)}\n${describeStarts(starts)}`);
  return results;
}

await endWith(measure);
for (const server of servers) await server.stop();
