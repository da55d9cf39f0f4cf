/**
 * Carries out the jobs of local transports: in this process when it has the rights of the job's user already, else in a
 * process that runs as that user. Such a process is kept for further jobs until it has been idle for a while.
 */

import type { Eventual } from '../lib/eventual.ts';
import { mayBecomeOthers } from '../safe/privileges.ts';
import type { RunningProgram } from '../safe/spawn.ts';
import { literal } from '../safe/taint.ts';
import type { Body } from '../spool/body.ts';
import {
  type Content,
  type ContentReader,
  type DeliveryResult,
  deferred,
  errorCodes,
  type Job,
  type LocalTransport,
} from '../transports/transport.ts';
import { FrameReader, frame } from './frames.ts';
import { hasRights, noRight, type Rights, type SelfCommand, startAs } from './user-process.ts';

const idleTime = 30_000;
const pieceSize = 64 * 1024;

/** Reads the body of a message on the spool. */
export function contentReader({ headers, body }: Content): ContentReader {
  let at = 0;
  return {
    headers,
    size: body.size,
    read(buffer): Eventual<number> {
      const count = body.readAt(buffer, at);
      at += count;
      return count;
    },
  };
}

interface Worker {
  readonly program: RunningProgram;
  readonly answers: FrameReader;
  timer: NodeJS.Timeout | undefined;
}

/** The processes of one user. */
interface Crew {
  readonly idle: Worker[];
  /** Those that work, and those that wait for work. */
  count: number;
  /** Jobs that wait until a process is free. */
  readonly waiting: (() => void)[];
}

/** Processes that one user has at most, and all users together; a process does one job after the other. */
const mostPerUser = 4;
const mostOfAll = 64;

export class LocalDeliveries {
  readonly #self: SelfCommand;
  readonly #crews = new Map<string, Crew>();
  #count = 0;

  constructor(self: SelfCommand) {
    this.#self = self;
  }

  /** Does the job with the rights it needs. */
  async perform(worker: LocalTransport, job: Job, content: Content, rights: Rights): Promise<DeliveryResult> {
    if (hasRights(rights)) return worker.perform(job, contentReader(content));
    if (!mayBecomeOthers()) return deferred(errorCodes.unknown, noRight(rights));
    return this.#performElsewhere(job, content, rights);
  }

  async #performElsewhere(job: Job, content: Content, rights: Rights): Promise<DeliveryResult> {
    const key = `${rights.uid} ${rights.gid} ${rights.allGroups}`;
    const crew = this.#crews.get(key) ?? { idle: [], count: 0, waiting: [] };
    this.#crews.set(key, crew);
    const worker = await this.#take(crew, rights);
    try {
      await worker.program.write(frame({ job, headers: content.headers, size: content.body.size }));
      await sendBody(content.body, worker.program);
      const answer = await worker.answers.next();
      if (answer === undefined) throw new Error('it ended without an answer');
      this.#keep(key, crew, worker);
      return answer as DeliveryResult;
    } catch (error) {
      worker.program.kill();
      this.#leave(key, crew);
      return deferred(errorCodes.unknown, `the delivery process for uid ${rights.uid} failed: ${String(error)}`);
    }
  }

  /** A process of the user that has nothing to do; a new one as long as there may be more. */
  async #take(crew: Crew, rights: Rights): Promise<Worker> {
    for (;;) {
      const known = crew.idle.pop();
      if (known !== undefined) {
        clearTimeout(known.timer);
        known.program.waitFor(true);
        return known;
      }
      if (crew.count === 0 || (crew.count < mostPerUser && this.#count < mostOfAll)) {
        crew.count++;
        this.#count++;
        return this.#start(rights);
      }
      await new Promise<void>((resolve) => crew.waiting.push(resolve));
    }
  }

  /** A process is gone. */
  #leave(key: string, crew: Crew): void {
    crew.count--;
    this.#count--;
    crew.waiting.shift()?.();
    if (crew.count === 0 && crew.waiting.length === 0) this.#crews.delete(key);
  }

  #start(rights: Rights): Worker {
    const running = startAs(this.#self, literal('--deliver-as'), rights);
    return { program: running, answers: new FrameReader(running.output), timer: undefined };
  }

  /** Keeps a process for the next job; it does not keep this one alive. */
  #keep(key: string, crew: Crew, worker: Worker): void {
    crew.idle.push(worker);
    worker.program.waitFor(false);
    worker.timer = setTimeout(() => {
      crew.idle.splice(crew.idle.indexOf(worker), 1);
      worker.program.end();
      this.#leave(key, crew);
    }, idleTime);
    worker.timer.unref();
    crew.waiting.shift()?.();
  }

  close(): void {
    for (const { idle } of this.#crews.values()) {
      for (const worker of idle) {
        clearTimeout(worker.timer);
        worker.program.end();
      }
    }
    this.#crews.clear();
  }
}

async function sendBody(body: Body, program: RunningProgram): Promise<void> {
  for (let at = 0; at < body.size; ) {
    const buffer = Buffer.allocUnsafe(Math.min(pieceSize, body.size - at));
    const count = body.readAt(buffer, at);
    if (count === 0) throw new Error('the body on the spool is shorter than it was');
    await program.write(buffer.subarray(0, count));
    at += count;
  }
}

/** What a delivery process does: jobs from standard input until it ends, answers on standard output. */
export async function serveJobs(
  input: AsyncIterable<Buffer>,
  find: (driver: string) => LocalTransport | undefined,
  write: (octets: Buffer) => Promise<void>,
): Promise<void> {
  const reader = new FrameReader(input);
  for (let request = await reader.next(); request !== undefined; request = await reader.next()) {
    const { job, headers, size } = request as { job: Job; headers: string; size: number };
    let left = size;
    const content: ContentReader = {
      headers,
      size,
      async read(buffer) {
        if (left === 0) return 0;
        const count = await reader.octets(buffer.subarray(0, left));
        left -= count;
        return count;
      },
    };
    const result = await perform(find(job.driver), job, content);
    const rest = Buffer.allocUnsafe(pieceSize);
    while (left > 0 && (await content.read(rest)) > 0);
    await write(frame(result));
  }
}

/** An unexpected failure costs no mail: it is answered as a reason to try again. */
async function perform(worker: LocalTransport | undefined, job: Job, content: ContentReader): Promise<DeliveryResult> {
  if (worker === undefined) return deferred(errorCodes.unknown, `no transport driver "${job.driver}"`);
  try {
    return await worker.perform(job, content);
  } catch (error) {
    return deferred(errorCodes.unknown, `unexpected error in ${job.driver}: ${String(error)}`);
  }
}
