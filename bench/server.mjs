/** A server under measurement: started in its control group, loaded, made quiet, read back, and stopped. */

import { spawn } from 'node:child_process';
import { mkdirSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { basename, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { CpuGroup } from './cpu-group.mjs';
import { makeMaildirs, readBack } from './mailboxes.mjs';
import { peers } from './peers.mjs';
import { sink } from './workloads.mjs';

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

export class Server {
  #peer;
  #settings;
  #run;
  #mail;
  #watched;
  #directories;
  #group;
  #child;

  /** `settings`: the options, with the directory of this measurement as `work` and the table as `users`. */
  constructor(name, settings) {
    const { work, options, stride } = settings;
    this.name = name;
    this.#settings = settings;
    this.#peer = peers.get(name);
    this.#run = join(work, name);
    this.#mail = join(work, `${name}.mail`);
    this.#watched = join(work, `${name}.directories`);
    mkdirSync(this.#run);
    this.#directories = makeMaildirs(this.#mail, options.active, stride);
    writeFileSync(this.#watched, `${this.#directories.join('\n')}\n`);
    this.#group = new CpuGroup(`${basename(work)}-${name}`);
  }

  get weight() {
    return this.#peer.weight;
  }

  get usesSyslog() {
    return this.#peer.usesSyslog === true;
  }

  /** Starts a program whose time counts as this server's. */
  spawn(words, log) {
    const file = openSync(join(this.#run, log), 'a');
    const script = `echo $$ >${this.#group.entrance}; exec "$@"`;
    return spawn('sh', ['-c', script, 'sh', ...words], { stdio: ['ignore', file, file], detached: true });
  }

  #observed(command) {
    const { strace, straceArguments } = this.#settings.options;
    return strace === undefined
      ? command
      : ['strace', '-f', ...straceArguments, '-o', join(strace, this.name), '--', ...command];
  }

  /** Answers the milliseconds until it greets, the CPU seconds it took, and its memory then. */
  async start() {
    const { users, options } = this.#settings;
    const { port } = this.#peer;
    const { profile, tree } = options;
    const place = { run: this.#run, mail: this.#mail, users, port, sink, profile, tree };
    const command = this.#peer.start(place);
    const begin = performance.now();
    this.#child = this.spawn(this.#observed(command), 'output');
    while (!(await answers(port))) {
      if (performance.now() - begin > patience || this.#child.exitCode !== null) {
        throw new Error(`${this.name} does not answer:\n${readFileSync(join(this.#run, 'output'), 'latin1')}`);
      }
      await sleep(5);
    }
    const milliseconds = performance.now() - begin;
    const cpu = this.#group.seconds();
    await sleep(300);
    return { server: this.name, milliseconds, cpu, ...this.#group.memory() };
  }

  /** Waits until the server has nothing more to do, so that cleaning up is counted with the run it belongs to. */
  async #quiet() {
    for (let tries = 0, calm = 0; tries < 60 && calm < 2; tries++) {
      const before = this.#group.seconds();
      await sleep(50);
      calm = this.#group.seconds() - before < 0.004 ? calm + 1 : 0;
    }
  }

  /** Runs the load generator once; `counts` as in workloads.mjs. */
  async load(tag, words, counts) {
    const { options, stride, generator } = this.#settings;
    const delivered = counts === 'delivered';
    const all = ['-p', this.#peer.port, '-g', tag, '-x', stride, '-u', options.active, '-s', options.size, '-t', 30];
    all.push(...(options.pipelining ? ['-P'] : []), ...(delivered ? ['-w', this.#watched] : []), ...words);
    await this.#quiet();
    const before = this.#group.seconds();
    const peak = { resident: 0, proportional: 0, processes: 0 };
    const sample = () => {
      for (const [key, value] of Object.entries(this.#group.memory())) peak[key] = Math.max(peak[key], value);
    };
    const timer = setInterval(sample, 300);
    const output = await outputOf(generator, all.map(String));
    clearInterval(timer);
    sample();
    await this.#quiet();
    const found = { ...JSON.parse(output), cpu: this.#group.seconds() - before, ...peak };
    return delivered ? { ...found, ...this.#check(found, tag) } : found;
  }

  /** Everything acknowledged has to be there, once, and as it was sent. */
  #check(found, tag) {
    const { example, ...back } = readBack(this.#directories, tag);
    if (example !== undefined) writeFileSync(join(this.#run, 'bad-message'), example);
    const complete = back.bad === 0 && back.intact === found.expected && back.messages === found.acked;
    return { ...back, complete };
  }

  /** Ends everything at once, without an orderly end. */
  async kill() {
    this.#group.kill();
    await sleep(200);
    this.#group.remove();
  }

  async stop() {
    // strace writes its counts when what it watches has ended, a profile is written at a regular end
    const traced = this.#settings.options.strace !== undefined;
    if (traced) this.#group.kill('SIGTERM', this.#child?.pid);
    else this.#child?.kill('SIGTERM');
    for (let tries = 0; tries < 60 && this.#group.processes().length > 0; tries++) await sleep(50);
    this.#group.kill();
    await sleep(50);
    this.#group.remove();
  }
}

function outputOf(program, words) {
  return new Promise((resolve, reject) => {
    const child = spawn(program, words, { stdio: ['ignore', 'pipe', 'inherit'] });
    let output = '';
    child.stdout.on('data', (data) => {
      output += data;
    });
    child.on('error', reject);
    child.on('close', () => resolve(output));
  });
}
