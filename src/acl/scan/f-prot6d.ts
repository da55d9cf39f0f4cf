/** The virus scanner `f-prot6d`: F-Prot 6, by its protocol FPSCAND over TCP (Exim spec 45.1). */

import { literal } from '../../safe/taint.ts';
import { clear, problem, type VirusScanner } from './malware-verdict.ts';
import { parseScannerItem } from './scanner-list.ts';
import { talk } from './scanner-talk.ts';

export const fProt6d: VirusScanner = {
  name: 'f-prot6d',
  async scan(request) {
    const { options, copy } = request;
    const setting = options[0] || literal('localhost 10200');
    const { place } = parseScannerItem(setting);
    if (place === undefined || 'path' in place) return problem(`invalid socket '${setting}'`);
    return talk(place, setting, request, async (scanner) => {
      const failed = await scanner.ask(`SCAN FILE ${(await copy.file()).path}\n`);
      if (failed) return failed;
      const answer = await scanner.line();
      if (answer.outcome === 'failed') return scanner.problem(`unable to read from socket (${answer.text})`);
      await scanner.send('QUIT\n');
      const line = answer.text.replace(/\r?\n$/, '');
      // a number, what was found in angle brackets, the file; no file stands behind what is wrong
      const virus = /^\d+\s<infected:\s+(.+?)>\s+.+$/.exec(line)?.[1];
      if (virus !== undefined) return { outcome: 'infected', name: virus };
      const error = /^\d+\s<(.+?)>$/.exec(line)?.[1];
      return error === undefined ? clear : scanner.problem(`scanner reported error (${error})`);
    });
  },
};
