/**
 * The measurement, within the name spaces that ns.sh makes: starts all servers, warms each up, runs every cell in rounds
 * that alternate the order (A B C, C B A, ...), and prints medians. Ends with 1 when a run lost or damaged anything.
 */

import { appendFileSync } from 'node:fs';
import { loadavg } from 'node:os';
import { join } from 'node:path';
import { makeUserTable } from './mailboxes.mjs';
import { endWith, inTurns, killOnSignals, note } from './measurement.mjs';
import { readOptions } from './options.mjs';
import { describeResults, describeStarts } from './report.mjs';
import { Server } from './server.mjs';
import { cellsOf } from './workloads.mjs';

const options = readOptions(process.argv.slice(2));
const programs = process.env.PEERS ?? '';
const cells = cellsOf(options.workloads, options.concurrency);
const work = process.env.BENCH_WORK ?? '';
const settings = {
  options,
  work,
  users: makeUserTable(work, options.users),
  stride: Math.max(1, Math.floor(options.users / options.active)),
  generator: join(programs, 'smtpload'),
};
const servers = options.servers.map((name) => new Server(name, settings));

killOnSignals(servers);

let runs = 0;

async function run(cell, server, round) {
  const messages = Math.max(20, Math.round(cell.messages * options.scale * server.weight));
  const found = await server.load(`r${runs++}`, cell.words(messages), cell.counts);
  const counted = { delivered: found.arrived, relayed: found.arrived, rejected: found.rejected }[cell.counts];
  const complete = { delivered: found.complete, relayed: found.arrived >= found.acked, rejected: true }[cell.counts];
  const result = {
    cell: cell.id,
    server: server.name,
    round,
    rate: counted / found.total_s,
    cpuPerThousand: (found.cpu / counted) * 1000,
    good: complete && found.failed === 0 && found.timedout === 0,
    load: loadavg()[0],
    ...found,
  };
  const { rate, p50_ms, p99_ms, cpuPerThousand, good, err } = result;
  const figures = `${rate.toFixed(0)}/s p50 ${p50_ms} p99 ${p99_ms} ms CPU ${cpuPerThousand.toFixed(2)} s/1000`;
  note(
    `${cell.id}, ${server.name}: ${figures}${good ? '' : ` NOT COMPLETE ${JSON.stringify(found)}`}${err ? ` ${err}` : ''}`,
  );
  if (options.out !== undefined) appendFileSync(options.out, `${JSON.stringify(result)}\n`);
  return result;
}

/** Servers that log to syslog pay for the reader: it counts as the first of them. */
async function startSyslog() {
  const [server] = servers.filter(({ usesSyslog }) => usesSyslog);
  server?.spawn([join(programs, 'devlog'), '/dev/log', join(work, 'syslog')], 'syslog-errors');
}

async function measure() {
  const starts = [];
  await startSyslog();
  for (const server of servers) {
    starts.push(await server.start());
    note(`${server.name}: started`);
  }
  const warmUp = { id: 'warm-up', messages: 100, counts: 'delivered', words: (n) => ['-c', 4, '-n', n, '-k', 10] };
  for (const server of servers) await run(warmUp, server, 0);
  const results = await inTurns(cells, options.rounds, servers, run);
  process.stdout.write(`${describeResults(cells, options.servers, results)}\n${describeStarts(starts)}`);
  return results;
}

await endWith(measure);
for (const server of servers) await server.stop();
