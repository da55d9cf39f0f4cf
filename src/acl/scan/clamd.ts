/** The virus scanner `clamd`: ClamAV's daemon, by a socket of this machine or by TCP (Exim spec 45.1). */

import * as clock from '../../lib/clock.ts';
import { parseInterval } from '../../lib/intervals.ts';
import { trim } from '../../lib/octets.ts';
import type { ByteStream, WriteResult } from '../../net/byte-stream.ts';
import { literal } from '../../safe/taint.ts';
import { clear, type MalwareVerdict, problem, type ScanRequest, type VirusScanner } from './malware-verdict.ts';
import { connectScanner, readAnswer, type ScannerPlace } from './scanner-connection.ts';
import { parseScannerItem } from './scanner-list.ts';

const standardPlace = literal('/tmp/clamd');
const mostServers = 32;

interface Server {
  readonly place: ScannerPlace;
  readonly retry: number | undefined;
}

interface Setting {
  readonly servers: readonly Server[];
  /** The scanner sees the same files as we do. */
  readonly isLocal: boolean;
}

/** A socket of this machine stands alone; servers on the network may be several. */
function readSetting({ options, complain }: ScanRequest): Setting | MalwareVerdict {
  const [first = standardPlace] = options;
  const servers: Server[] = [];
  let isLocal = first.startsWith('/');
  for (const [index, item] of (options.length === 0 ? [standardPlace] : options).slice(0, mostServers).entries()) {
    if (item === 'local') {
      isLocal = true;
      continue;
    }
    if (index > 0 && first.startsWith('/')) break;
    const { place, isComplete, options: words } = parseScannerItem(item);
    const isMixed = index > 0 && item.startsWith('/');
    if (place === undefined || isMixed) {
      complain(isComplete && !isMixed ? `invalid address '${item}'` : `missing port: '${item}'`);
      continue;
    }
    let retry: number | undefined;
    for (const word of words) {
      retry = word.startsWith('retry=') ? parseInterval(word.slice('retry='.length)) : undefined;
      if (retry === undefined) return problem(`bad option '${item}'`);
    }
    servers.push({ place, retry });
  }
  if (servers.length > 0) return { servers, isLocal };
  return problem('no useable server addresses in malware configuration option.');
}

/** Sends the message in pieces, each behind its length; an empty one ends it. */
async function sendMessage(stream: ByteStream, { copy }: ScanRequest, left: () => number): Promise<WriteResult> {
  let sent = await stream.write('zINSTREAM\0', left());
  const length = (octets: number): Buffer => {
    const buffer = Buffer.alloc(4);
    buffer.writeUInt32BE(octets);
    return buffer;
  };
  await copy.read(async (piece) => {
    if (sent.outcome !== 'written' || piece.length === 0) return;
    sent = await stream.write(Buffer.concat([length(piece.length), piece]), Math.max(left(), 1));
  });
  return sent.outcome === 'written' ? stream.write(length(0), Math.max(left(), 1)) : sent;
}

/** `name of the file: name of the virus FOUND`. */
export function readClamdAnswer(answer: string, place: string): MalwareVerdict {
  const text = trim(answer.replace(/\0.*$/s, ''));
  if (text === '') return problem('unable to read from socket (EOF)', place);
  const colon = text.indexOf(':');
  if (colon < 0) return problem(`ClamAV returned malformed result (missing colon): ${text}`, place);
  const result = trim(text.slice(colon + 1));
  if (result === 'OK') return clear;
  if (result.endsWith(' FOUND')) return { outcome: 'infected', name: trim(result.slice(0, -'FOUND'.length)) };
  if (result.endsWith('ERROR')) return problem(`ClamAV returned: ${text}`, place);
  return problem(`unparseable response from ClamAV: {${text}}`, place);
}

/** Asks a server that we are connected to. */
async function ask(
  stream: ByteStream,
  place: string,
  isLocal: boolean,
  request: ScanRequest,
  left: () => number,
): Promise<MalwareVerdict> {
  const sent = isLocal
    ? await stream.write(`SCAN ${(await request.copy.file()).path}\n`, Math.max(left(), 1))
    : await sendMessage(stream, request, left);
  // a daemon that had enough of a message says so before it closes
  if (sent.outcome === 'timeout') return problem('unable to send file body to socket (Connection timed out)', place);
  const answer = await readAnswer(stream, left);
  if (answer.outcome === 'answered') return readClamdAnswer(answer.text, place);
  return problem(`unable to read from socket (${answer.text})`, place);
}

export const clamd: VirusScanner = {
  name: 'clamd',
  async scan(request) {
    const { timeout, context, complain } = request;
    const setting = readSetting(request);
    if ('outcome' in setting) return setting;
    const end = clock.elapsed() + timeout * 1000;
    const left = (): number => end - clock.elapsed();
    const rest = [...setting.servers];
    while (rest.length > 0) {
      const [server] = rest.splice(Math.floor(Math.random() * rest.length), 1);
      if (server === undefined) break;
      const { place, retry } = server;
      const connection = await connectScanner(place, { timeout, retry }, context);
      if (connection.outcome === 'failed') {
        // the only socket of this machine has no other beside it
        if ('path' in place) return problem(connection.message, connection.place);
        complain(`${connection.place} : ${connection.message}`);
        continue;
      }
      const { stream } = connection;
      try {
        return await ask(stream, connection.place, setting.isLocal, request, left);
      } finally {
        stream.close();
      }
    }
    return problem('all servers failed');
  },
};
