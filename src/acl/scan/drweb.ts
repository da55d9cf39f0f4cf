/** The virus scanner `drweb`: the Dr.Web daemon, by a socket of this machine or by TCP (Exim spec 45.1). */

import { literal } from '../../safe/taint.ts';
import { clear, type MalwareVerdict, problem, type VirusScanner } from './malware-verdict.ts';
import { parseScannerItem } from './scanner-list.ts';
import { type ScannerTalk, talk } from './scanner-talk.ts';

/** Scan, and say how the viruses are called. */
const scanCommand = 1;
const scanFlags = 0x80001;

/** Bits of the answer that tell of failures; when there are several, the first here is told. */
const failures: readonly (readonly [bit: number, text: string])[] = [
  [0x8000, 'wrong command'],
  [0x200, 'timeout'],
  [0x4, 'no memory'],
  [0x1, 'read error'],
];

/** Numbers on the connection: four octets, the greatest first. */
function numbers(...values: readonly number[]): Buffer {
  const buffer = Buffer.alloc(4 * values.length);
  for (const [index, value] of values.entries()) buffer.writeUInt32BE(value, 4 * index);
  return buffer;
}

async function readNumber(scanner: ScannerTalk): Promise<number | undefined> {
  const answer = await scanner.octets(4);
  return answer.outcome === 'heard' ? Buffer.from(answer.text, 'latin1').readUInt32BE() : undefined;
}

/** A code, the number of viruses, and for each of them a text behind its length. */
async function readVerdict(scanner: ScannerTalk): Promise<MalwareVerdict> {
  const code = await readNumber(scanner);
  if (code === undefined) return scanner.problem('unable to read return code');
  const viruses = await readNumber(scanner);
  if (viruses === undefined) return scanner.problem('unable to read the number of viruses');
  let name: string | undefined;
  // the first octets that are not there end it, however many viruses there are said to be
  for (let index = 0; index < viruses; index++) {
    const size = await readNumber(scanner);
    if (size === undefined) return scanner.problem('cannot read report size');
    const report = await scanner.octets(size);
    if (report.outcome === 'failed') return scanner.problem('cannot read report string');
    name ??= /infected\swith\s*(.+?)\0?$/.exec(report.text)?.[1];
  }
  const failure = failures.find(([bit]) => (code & bit) !== 0);
  if (failure !== undefined) {
    return scanner.problem(`drweb daemon retcode 0x${code.toString(16)} (${failure[1]})`);
  }
  return name === undefined ? clear : { outcome: 'infected', name };
}

export const drweb: VirusScanner = {
  name: 'drweb',
  async scan(request) {
    const { options, copy } = request;
    const setting = options[0] || literal('/usr/local/drweb/run/drwebd.sock');
    const { place } = parseScannerItem(setting);
    if (place === undefined) return problem(`invalid socket '${setting}'`);
    return talk(place, setting, request, async (scanner) => {
      if ('path' in place) {
        const { path } = await copy.file();
        const head = numbers(scanCommand, scanFlags, path.length);
        const question = Buffer.concat([head, Buffer.from(path, 'latin1'), numbers(0)]);
        return (await scanner.ask(question)) ?? readVerdict(scanner);
      }
      const failed =
        (await scanner.ask(numbers(scanCommand, scanFlags, 0, copy.size))) ?? (await scanner.sendCopy(copy));
      return failed ?? readVerdict(scanner);
    });
  },
};
