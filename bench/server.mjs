/** A server under measurement: started in its control group, loaded, made quiet, read back, and stopped. */

import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { GroupedServer } from './grouped-server.mjs';
import { makeMaildirs, readBack } from './mailboxes.mjs';
import { peers } from './peers.mjs';
import { sink } from './workloads.mjs';

export class Server extends GroupedServer {
  #peer;
  #settings;
  #mail;
  #watched;
  #directories;

  /** `settings`: the options, with the directory of this measurement as `work` and the table as `users`. */
  constructor(name, settings) {
    const { work, options, stride } = settings;
    super(name, work);
    this.#settings = settings;
    this.#peer = peers.get(name);
    this.#mail = join(work, `${name}.mail`);
    this.#watched = join(work, `${name}.directories`);
    this.#directories = makeMaildirs(this.#mail, options.active, stride);
    writeFileSync(this.#watched, `${this.#directories.join('\n')}\n`);
  }

  get weight() {
    return this.#peer.weight;
  }

  get usesSyslog() {
    return this.#peer.usesSyslog === true;
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
    const place = { run: this.run, mail: this.#mail, users, port, sink, profile, tree };
    return this.launch(this.#observed(this.#peer.start(place)), port);
  }

  /** Runs the load generator once; `counts` as in workloads.mjs. */
  async load(tag, words, counts) {
    const { options, stride, generator } = this.#settings;
    const delivered = counts === 'delivered';
    const all = ['-p', this.#peer.port, '-g', tag, '-x', stride, '-u', options.active, '-s', options.size, '-t', 30];
    all.push(...(options.pipelining ? ['-P'] : []), ...(delivered ? ['-w', this.#watched] : []), ...words);
    await this.quiet();
    const before = this.group.seconds();
    const peak = { resident: 0, proportional: 0, processes: 0 };
    const sample = () => {
      for (const [key, value] of Object.entries(this.group.memory())) peak[key] = Math.max(peak[key], value);
    };
    const timer = setInterval(sample, 300);
    const output = await outputOf(generator, all.map(String));
    clearInterval(timer);
    sample();
    await this.quiet();
    const found = { ...JSON.parse(output), cpu: this.group.seconds() - before, ...peak };
    return delivered ? { ...found, ...this.#check(found, tag) } : found;
  }

  /** Everything acknowledged has to be there, once, and as it was sent. */
  #check(found, tag) {
    const { example, ...back } = readBack(this.#directories, tag);
    if (example !== undefined) writeFileSync(join(this.run, 'bad-message'), example);
    const complete = back.bad === 0 && back.intact === found.expected && back.messages === found.acked;
    return { ...back, complete };
  }

  async stop() {
    // strace writes its counts when what it watches has ended, a profile is written at a regular end
    await super.stop(this.#settings.options.strace !== undefined);
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
