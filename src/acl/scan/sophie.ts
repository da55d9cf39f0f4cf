/** The virus scanner `sophie`: Sophos' library behind a socket of this machine (Exim spec 45.1). */

import { literal } from '../../safe/taint.ts';
import { clear, type VirusScanner } from './malware-verdict.ts';
import { talk } from './scanner-talk.ts';

export const sophie: VirusScanner = {
  name: 'sophie',
  scan(request) {
    const { options, copy } = request;
    const path = options[0] || literal('/var/run/sophie');
    return talk({ path }, path, request, async (scanner) => {
      const { directory } = await copy.file();
      if ((await scanner.send(`${directory}\n`)) !== undefined) {
        return scanner.problem(`unable to write to UNIX socket (${path})`);
      }
      // `1:` and a name, `0`, or `-1`
      const answer = await scanner.some();
      if (answer.outcome === 'failed') return scanner.problem(`unable to read from UNIX socket (${path})`);
      const { text } = answer;
      if (text.startsWith('-1')) return scanner.problem('scanner reported error');
      const name = text.startsWith('1') ? (/^..([^\r\n]+)/s.exec(text)?.[1] ?? '') : '';
      return name === '' ? clear : { outcome: 'infected', name };
    });
  },
};
