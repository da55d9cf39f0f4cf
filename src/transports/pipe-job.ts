/** Runs the command of a pipe delivery, and says what its end means (Exim spec 29.2). */

import { type Argument, type ProgramResult, run } from '../safe/spawn.ts';
import type { Clean } from '../safe/taint.ts';
import { copyContent } from './content.ts';
import type { ContentReader, DeliveryResult, Job, Undelivered } from './transport.ts';

export interface PipeJob extends Job {
  readonly driver: 'pipe';
  readonly transport: string;
  readonly program: Clean;
  readonly args: readonly Argument[];
  /** The command as logs show it. */
  readonly shown: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly directory: Clean;
  readonly headers: boolean;
  readonly body: boolean;
  readonly crlf: boolean;
  readonly check: string;
  readonly escape: string;
  readonly escapesHeaders: boolean;
  readonly prefix: string;
  readonly suffix: string;
  readonly umask: number;
  /** Seconds; 0 for no limit. */
  readonly timeout: number;
  readonly timeoutDefers: boolean;
  readonly maximumOutput: number;
  readonly ignoreStatus: boolean;
  /** Exit codes that mean "try again later". */
  readonly temporary: readonly number[] | '*';
  readonly freezeExecFail: boolean;
  readonly freezeSignal: boolean;
  readonly returnOutput: boolean;
  readonly returnFailOutput: boolean;
  readonly logOutput: boolean;
  readonly logFailOutput: boolean;
  readonly logDeferOutput: boolean;
}

/** What exit codes usually mean, as sysexits.h has it. */
const meanings: ReadonlyMap<number, string> = new Map([
  [64, 'command line usage error'],
  [65, 'data format error'],
  [66, 'cannot open input'],
  [67, 'addressee unknown'],
  [68, 'host name unknown'],
  [69, 'service unavailable'],
  [70, 'internal software error'],
  [71, 'system error'],
  [72, 'critical OS file missing'],
  [73, "can't create output file"],
  [74, 'input/output error'],
  [75, 'temporary error'],
  [76, 'remote error in protocol'],
  [77, 'permission denied'],
  [78, 'configuration error'],
  [127, 'unable to exec or command does not exist'],
]);

const signalTexts: ReadonlyMap<number, string> = new Map([
  [1, 'Hangup'],
  [2, 'Interrupt'],
  [3, 'Quit'],
  [4, 'Illegal instruction'],
  [6, 'Aborted'],
  [8, 'Floating point exception'],
  [9, 'Killed'],
  [11, 'Segmentation fault'],
  [13, 'Broken pipe'],
  [14, 'Alarm clock'],
  [15, 'Terminated'],
]);

export async function runPipe(job: PipeJob, content: ContentReader): Promise<DeliveryResult> {
  const escape =
    job.check === '' ? undefined : { check: Buffer.from(job.check, 'latin1'), by: Buffer.from(job.escape, 'latin1') };
  const result = await run(
    {
      program: job.program,
      args: job.args,
      environment: job.environment,
      directory: job.directory,
      umask: job.umask,
      timeout: job.timeout * 1000,
      maximumOutput: job.maximumOutput,
    },
    async (write) => {
      if (job.prefix !== '') await write(Buffer.from(job.prefix, 'latin1'));
      const { headers, body, crlf, escapesHeaders } = job;
      const rules = { headers, body, crlf, escape, escapesHeaders };
      await copyContent(content, rules, (chunk) => write(Buffer.from(chunk)));
      if (job.suffix !== '') await write(Buffer.from(job.suffix, 'latin1'));
    },
  );
  return interpret(job, result);
}

function interpret(job: PipeJob, result: ProgramResult): DeliveryResult {
  const output = result.outcome === 'not run' ? '' : result.output.toString('latin1').slice(0, job.maximumOutput);
  const judged = judge(job, result, output !== '');
  const failed = judged.outcome === 'failed';
  const logged =
    output !== '' &&
    (job.logOutput || (job.logFailOutput && failed) || (job.logDeferOutput && judged.outcome === 'deferred'));
  const returned = output !== '' && (job.returnOutput || (job.returnFailOutput && failed));
  if (judged.outcome === 'delivered') return { ...judged, logLine: logged ? firstLine(output) : undefined };
  return {
    ...judged,
    logLine: logged ? firstLine(output) : undefined,
    output: returned ? output : undefined,
  };
}

function firstLine(output: string): string {
  return (/^[^\n]*/.exec(output)?.[0] ?? '').replace(/[\x00-\x1f\x7f]/g, '?');
}

/** The command, or the filter in front of it, took too long. */
export function timedOut(job: PipeJob, message: string): Undelivered {
  return { outcome: job.timeoutDefers ? 'deferred' : 'failed', code: 0, message };
}

function judge(job: PipeJob, result: ProgramResult, hasOutput: boolean): DeliveryResult {
  const fail = (message: string): Undelivered => ({
    outcome: 'failed',
    code: 0,
    message,
    publicMessage: 'local delivery failed',
  });
  switch (result.outcome) {
    case 'timeout':
      return timedOut(job, 'pipe delivery process timed out');
    case 'signalled': {
      const name = signalTexts.get(result.signal) ?? result.name;
      const message = `Child process of ${job.transport} transport (running command "${job.shown}") was terminated by signal ${result.signal} (${name})`;
      if (job.freezeSignal) return { outcome: 'deferred', code: 0, message, freeze: true };
      return job.ignoreStatus ? { outcome: 'delivered' } : fail(message);
    }
    case 'not run':
      if (job.freezeExecFail) {
        return { outcome: 'deferred', code: 0, message: `pipe process failed to exec "${job.shown}"`, freeze: true };
      }
      return judgeStatus(job, 127, hasOutput, fail);
    case 'exited':
      return judgeStatus(job, result.status, hasOutput, fail);
  }
}

function judgeStatus(
  job: PipeJob,
  status: number,
  hasOutput: boolean,
  fail: (message: string) => Undelivered,
): DeliveryResult {
  const returns = job.returnOutput && hasOutput;
  if (status === 0 || job.ignoreStatus) {
    // what was printed says it all
    return returns ? { ...fail('return message generated'), publicMessage: '' } : { outcome: 'delivered' };
  }
  const meaning = meanings.get(status);
  const explained = meaning === undefined ? '' : ` (could mean ${meaning})`;
  const message = `Child process of ${job.transport} transport returned ${status}${explained} from command: ${job.program}`;
  const isTemporary = job.temporary === '*' || job.temporary.includes(status);
  return isTemporary && !returns ? { outcome: 'deferred', code: 0, message } : fail(message);
}
