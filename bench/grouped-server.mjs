/** A server in a control group of its own: started, waited for until it greets, and stopped with all its processes. */

import { spawn } from 'node:child_process';
import { mkdirSync, openSync, readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { basename, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { CpuGroup } from './cpu-group.mjs';

const patience = 20_000;

/** Whether something greets at the port. */
function answers(port) {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.setTimeout(3000, () => socket.destroy());
    socket.on('data', () => {
      socket.end('QUIT\r\n');
      resolve(true);
    });
    socket.on('error', () => resolve(false));
    socket.on('close', () => resolve(false));
  });
}

export class GroupedServer {
  name;
  /** The directory for all that it writes. */
  run;
  group;
  #child;

  /** `work` is the directory of the measurement. */
  constructor(name, work) {
    this.name = name;
    this.run = join(work, name);
    mkdirSync(this.run, { recursive: true });
    this.group = new CpuGroup(`${basename(work)}-${name}`);
  }

  /** Starts a program whose time counts as this server's. */
  spawn(words, log) {
    const file = openSync(join(this.run, log), 'a');
    const script = `echo $$ >${this.group.entrance}; exec "$@"`;
    return spawn('sh', ['-c', script, 'sh', ...words], { stdio: ['ignore', file, file], detached: true });
  }

  /** Answers the milliseconds until it greets, the CPU seconds it took, and its memory then. */
  async launch(command, port) {
    const begin = performance.now();
    this.#child = this.spawn(command, 'output');
    while (!(await answers(port))) {
      if (performance.now() - begin > patience || this.#child.exitCode !== null) {
        throw new Error(`${this.name} does not answer:\n${readFileSync(join(this.run, 'output'), 'latin1')}`);
      }
      await sleep(5);
    }
    const milliseconds = performance.now() - begin;
    const cpu = this.group.seconds();
    await sleep(300);
    return { server: this.name, milliseconds, cpu, ...this.group.memory() };
  }

  /** Waits until the server has nothing more to do, so that cleaning up is counted with the run it belongs to. */
  async quiet() {
    for (let tries = 0, calm = 0; tries < 60 && calm < 2; tries++) {
      const before = this.group.seconds();
      await sleep(50);
      calm = this.group.seconds() - before < 0.004 ? calm + 1 : 0;
    }
  }

  /** Ends everything at once, without an orderly end. */
  async kill() {
    this.group.kill();
    await sleep(200);
    this.group.remove();
  }

  /** Ends it in order; `traced`: by its own processes, because whoever watches them must see their end. */
  async stop(traced = false) {
    if (traced) this.group.kill('SIGTERM', this.#child?.pid);
    else this.#child?.kill('SIGTERM');
    for (let tries = 0; tries < 60 && this.group.processes().length > 0; tries++) await sleep(50);
    this.group.kill();
    await sleep(50);
    this.group.remove();
  }
}
