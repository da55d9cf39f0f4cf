/** The virus scanner `fsecure`: F-Secure's daemon, behind a socket of this machine (Exim spec 45.1). */

import { literal } from '../../safe/taint.ts';
import { clear, type VirusScanner } from './malware-verdict.ts';
import { talk } from './scanner-talk.ts';

const settings = ['ARCHIVE\t1', 'TIMEOUT\t0', 'MAXARCH\t5', 'MIME\t1'];

/** `INFECTED`, the file, the name of the virus, the engine that knows it: with tabs between them. */
const report = /INFECTED\t[^\t]*\t([^\t]+)\t\S*$/;

export const fsecure: VirusScanner = {
  name: 'fsecure',
  scan(request) {
    const { options, copy } = request;
    const path = options[0] || literal('/var/run/.fsav');
    return talk({ path }, path, request, async (scanner) => {
      for (const [index, setting] of settings.entries()) {
        const problem = await scanner.ask(`CONFIGURE\t${setting}\n`);
        if (problem) return problem;
        const answer = await scanner.some();
        if (answer.outcome === 'failed') return scanner.problem(`unable to read answer ${index} (${answer.text})`);
      }
      const problem = await scanner.ask(`SCAN\t${(await copy.file()).path}\n`);
      if (problem) return problem;
      let name: string | undefined;
      for (;;) {
        const line = await scanner.line();
        if (line.outcome === 'failed') return scanner.problem(`unable to read result (${line.text})`);
        if (!line.text.endsWith('\n')) return scanner.problem('unable to read result (Success)');
        if (line.text.startsWith('OK\tScan ok.')) return name === undefined ? clear : { outcome: 'infected', name };
        name ??= report.exec(line.text.replace(/\r?\n$/, ''))?.[1];
      }
    });
  },
};
