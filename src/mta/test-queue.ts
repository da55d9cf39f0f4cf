/** A queue of a test's own, on the disk, with a configuration that delivers nothing: addresses vanish, wait or fail. */

import { readInstallation } from '../config/installation.ts';
import { parseConfig } from '../config/load.ts';
import * as clock from '../lib/clock.ts';
import { TestDirectory } from '../lib/test-directory.ts';
import * as files from '../safe/files.ts';
import { type Clean, literal, pathOf, type QueueId, queueId, reviewed } from '../safe/taint.ts';
import type { Envelope } from '../spool/envelope.ts';
import { writeHeaderFile } from '../spool/format.ts';
import type { DeliveryTools } from './attempt.ts';
import { makeDeliveryTools } from './delivery-tools.ts';
import { closeRuntime, makeRuntime, type Runtime } from './runtime.ts';

const routers = `
begin routers
later:
  driver = redirect
  local_parts = later
  allow_defer
  data = :defer: not now
never:
  driver = redirect
  local_parts = never
  allow_fail
  data = :fail: no way
vanishing:
  driver = redirect
  data = :blackhole:
begin retry
* * F,1h,30m
`;

export function idOf(text: string): QueueId {
  const id = queueId(text);
  if (id === undefined) throw new Error(`${text} is no message id`);
  return id;
}

export class TestQueue {
  readonly #directory: TestDirectory;
  readonly runtime: Runtime;

  private constructor(runtime: Runtime, directory: TestDirectory) {
    this.runtime = runtime;
    this.#directory = directory;
  }

  /** `settings` are lines of the main section, `drivers` the sections behind it. */
  static async make(settings = '', drivers = routers): Promise<TestQueue> {
    const directory = new TestDirectory();
    const text = `primary_hostname = h.test
spool_directory = ${directory.path}/spool
log_file_path = ${directory.path}/%slog
keep_environment =
${settings}
${drivers}`;
    const { config, problems } = await parseConfig(directory.file('configure'), text);
    const [problem] = problems.all.filter(({ severity }) => severity === 'error');
    if (problem !== undefined) throw new Error(JSON.stringify(problem));
    const { installation } = readInstallation(literal('/nonexistent'));
    return new TestQueue(await makeRuntime(installation, config, { environment: {} }), directory);
  }

  get tools(): DeliveryTools {
    return makeDeliveryTools(this.runtime, { program: literal('/bin/false'), args: [] });
  }

  /** A file of a message in the input directory. */
  path(id: string, suffix: '-H' | '-D' | '-J'): Clean {
    return pathOf(this.runtime.places.spoolDirectory, literal('input'), reviewed(id + suffix, 'a name of the tests'));
  }

  write(id: string, suffix: '-H' | '-D' | '-J', text: string): void {
    const path = this.path(id, suffix);
    files.removeIfPossible(path);
    const file = this.runtime.spool.create(path);
    files.write(file, text);
    files.close(file);
  }

  /** Puts a message on the queue. */
  add(id: string, facts: Partial<Envelope> = {}, body = 'body\n'): QueueId {
    const envelope: Envelope = {
      id: idOf(id),
      originatorLogin: 'ann',
      originatorUid: 4711,
      originatorGid: 4711,
      sender: 'ann@h.test',
      receivedTime: clock.seconds() - 60,
      warningCount: 0,
      facts: { deliverFirstTime: true },
      aclConnectionVariables: new Map(),
      aclMessageVariables: new Map(),
      otherFacts: [],
      nonRecipients: new Set(),
      recipients: [{ address: 'bob@h.test' }],
      headers: [{ type: ' ', text: 'Subject: x\n' }],
      ...facts,
    };
    this.write(id, '-H', writeHeaderFile(envelope));
    this.write(id, '-D', `${id}-D\n${body}`);
    return envelope.id;
  }

  get ids(): string[] {
    return [...this.runtime.spool.ids()].sort();
  }

  /** New lines of the main log, without time and with N for the process. */
  takeLog(): string[] {
    this.runtime.logs.close();
    const path = this.#directory.file('mainlog');
    if (files.stat(path) === undefined) return [];
    const lines = files.readText(path).split('\n').slice(0, -1);
    files.remove(path);
    return lines.map((line) => line.replace(/^[-0-9]+ [:0-9]+ /, '').replace(/pid=\d+/, 'pid=N'));
  }

  remove(): void {
    closeRuntime(this.runtime);
    removeTree(this.#directory.path);
  }
}

function removeTree(directory: Clean): void {
  const names = Array.from(files.list(directory));
  for (const name of names) {
    const path = pathOf(directory, reviewed(name, 'a name of the tests'));
    if (files.linkStat(path)?.isDirectory()) removeTree(path);
    else files.remove(path);
  }
  files.removeDirectory(directory);
}
