/** The virus scanner `f-protd`: F-Prot's daemon, by HTTP over TCP (Exim spec 45.1). */

import { literal } from '../../safe/taint.ts';
import { clear, problem, type VirusScanner } from './malware-verdict.ts';
import { parseScannerItem } from './scanner-list.ts';
import { talk } from './scanner-talk.ts';

/** In the line of the summary: viruses were found. */
const foundCode = '<summary code="11">';

export const fProtd: VirusScanner = {
  name: 'f-protd',
  async scan(request) {
    const { options, copy } = request;
    const setting = options[0] || literal('localhost 10200-10204');
    const { place } = parseScannerItem(setting);
    if (place === undefined || 'path' in place) return problem(`invalid socket '${setting}'`);
    return talk(place, setting, request, async (scanner) => {
      // the NUL is sent by the real program, too
      const failed = await scanner.ask(`GET ${(await copy.file()).path} HTTP/1.0\r\n\r\n\0`);
      if (failed) return failed;
      let detected = false;
      let name = '';
      // each of the three elements begins a line of its own: detected, name, summary
      for (;;) {
        const line = await scanner.line();
        if (line.outcome === 'failed') {
          return scanner.problem(line.why === 'timeout' ? 'timeout from scanner' : 'EOF from scanner');
        }
        const { text } = line;
        if (!detected) detected = text.includes('<detected type="');
        else name = /<name>(.+?)<\/name>/.exec(text)?.[1] ?? name;
        if (!text.includes('<summary code="')) continue;
        return name !== '' && text.includes(foundCode) ? { outcome: 'infected', name } : clear;
      }
    });
  },
};
