/** The virus scanner `sock`: a server on this machine that is told a line and answers in words (Exim spec 45.1). */

import * as clock from '../../lib/clock.ts';
import { literal } from '../../safe/taint.ts';
import { clear, problem, type VirusScanner } from './malware-verdict.ts';
import { compilePatterns, unknownName } from './patterns.ts';
import { connectScanner, readAnswer } from './scanner-connection.ts';
import { parseScannerItem } from './scanner-list.ts';

const standardPlace = literal('/tmp/malware.sock');

export const sock: VirusScanner = {
  name: 'sock',
  async scan({ options: [where = standardPlace, command, trigger, name], copy, timeout, context }) {
    const { place } = parseScannerItem(where === '' ? standardPlace : where);
    if (place === undefined) return problem(`invalid socket '${where}'`);
    const end = clock.elapsed() + timeout * 1000;
    const left = (): number => end - clock.elapsed();
    const connection = await connectScanner(place, { timeout, retry: undefined }, context);
    if (connection.outcome === 'failed') return problem(connection.message, connection.place);
    const { stream } = connection;
    try {
      const patterns = compilePatterns(trigger, name);
      if ('message' in patterns) return problem(patterns.message);
      const { path } = await copy.file();
      const line = (command === undefined || command === '' ? '%s\n' : command).replaceAll('%s', () => path);
      const sent = await stream.write(line, Math.max(left(), 1));
      if (sent.outcome !== 'written') return problem('unable to write to socket', connection.place);
      const answer = await readAnswer(stream, left);
      if (answer.outcome === 'failed') {
        return problem(`unable to read from socket (${answer.text})`, connection.place);
      }
      if (!patterns.trigger.test(answer.text)) return clear;
      return { outcome: 'infected', name: patterns.name.match(answer.text)?.groups[1] ?? unknownName };
    } finally {
      stream.close();
    }
  },
};
