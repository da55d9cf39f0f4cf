/** The virus scanner `avast`: Avast's daemon, by a socket of this machine or by TCP (Exim spec 45.1). */

import { literal } from '../../safe/taint.ts';
import { clear, type MalwareVerdict, problem, type VirusScanner } from './malware-verdict.ts';
import { parseScannerItem } from './scanner-list.ts';
import { type Heard, type ScannerTalk, talk } from './scanner-talk.ts';

const passUnscanned = 'pass_unscanned';
/** It comes before the results, and says nothing. */
const intermediate = '210';

/** The result for one file stands behind a tab: that it is clean, has a virus, or could not be looked at. */
const cleanFile = /(?<!\\)\t\[\+\]/;
const virus = /(?<!\\)\t\[L\]\d+\.0\t0\s(.*)/;
const error = /(?<!\\)\t\[E\]\d+\.0\tError\s\d+\s(.*)/;

/** Blanks and backslashes of a text have a backslash before them. */
const plain = (text: string): string => text.replace(/\\([ \\])/g, '$1');

interface Finding {
  name: string | undefined;
}

/** Reads one line; nothing when it says that the command is done, else what it says of the whole, or that it goes on. */
function readLine(line: string, finding: Finding, ignored?: (line: string) => void): 'more' | 'done' | 'failed' {
  if (/^\d/.test(line)) {
    if (line.startsWith(intermediate)) return 'more';
    return line.startsWith('2') ? 'done' : 'failed';
  }
  if (cleanFile.test(line)) return 'more';
  const unreadable = error.exec(line)?.[1];
  if (unreadable !== undefined && ignored !== undefined) {
    ignored(line);
    return 'more';
  }
  const name = virus.exec(line)?.[1] ?? unreadable;
  if (name === undefined) return 'failed';
  finding.name ??= plain(name);
  return 'more';
}

const silence = ({ why, text }: Extract<Heard, { outcome: 'failed' }>): string =>
  why === 'broken' ? text : `${why === 'timeout' ? 'timeout' : 'EOF'} from scanner`;

/** Each command is sent when the one before is done; the first, when the scanner has greeted. */
async function speak(
  scanner: ScannerTalk,
  commands: readonly string[],
  ignored?: (line: string) => void,
): Promise<MalwareVerdict> {
  const finding: Finding = { name: undefined };
  const rest = [...commands];
  for (;;) {
    const heard = await scanner.line();
    if (heard.outcome === 'failed') return scanner.problem(silence(heard));
    const line = heard.text.replace(/\r?\n$/, '');
    const state = readLine(line, finding, ignored);
    if (state === 'failed') return scanner.problem(line);
    if (state === 'more') continue;
    const command = rest.shift();
    if (command === undefined) break;
    const why = await scanner.send(`${command}\n`);
    if (why !== undefined) {
      return scanner.problem(`unable to send request '${command}\n' to socket (${scanner.setting}): ${why}`);
    }
  }
  return finding.name === undefined ? clear : { outcome: 'infected', name: finding.name };
}

export const avast: VirusScanner = {
  name: 'avast',
  async scan(request) {
    const { options, copy, note } = request;
    const [first, ...words] = options;
    const setting = first || literal('/var/run/avast/scan.sock');
    const { place } = parseScannerItem(setting);
    if (place === undefined) return problem(`invalid socket '${setting}'`);
    const ignored = words.includes(literal(passUnscanned))
      ? (line: string): void => note(`internal scanner error (ignored): ${line}`)
      : undefined;
    return talk(place, setting, request, async (scanner) => {
      const { directory } = await copy.file();
      const commands = [...words.filter((word) => word !== passUnscanned), `SCAN ${directory}`];
      const verdict = await speak(scanner, commands, ignored);
      const why = await scanner.send('QUIT\n');
      if (why === undefined) return verdict;
      return scanner.problem(`unable to send quit request to socket (${setting}): ${why}`);
    });
  },
};
