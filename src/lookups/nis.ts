/**
 * `nis` and `nis0`: maps of the Network Information Service (Exim spec 9.3). The process ypbind of this machine tells
 * which server the domain has; the server is asked by the YP protocol, version 2.
 */

import { callRpc, type RpcPlace, type RpcProcedure, rpcPort, xdr } from '../net/rpc.ts';
import * as files from '../safe/files.ts';
import { literal } from '../safe/taint.ts';
import { defineLookup, type Found, LookupProblem, notFound, type SingleKeyLookup } from './lookup.ts';

const binding: RpcProcedure = { program: 100_007, version: 2, procedure: 1 };
const match: RpcProcedure = { program: 100_004, version: 2, procedure: 3 };
const bound = 1;

/** What the server says of a question; the numbers are signed. */
const found = 1;
/** No such key, or no such map: Exim makes no difference between them. */
const absences: ReadonlySet<number> = new Set([-3, -1]);
const problems: ReadonlyMap<number, string> = new Map([
  [-2, 'the server does not know the domain'],
  [-5, 'the map is broken'],
  [-7, 'the question is none'],
]);

const thisMachine: RpcPlace = { address: '127.0.0.1', port: 111 };
const domainFile = literal('/proc/sys/kernel/domainname');

/** The machine's domain; nothing when it has none. */
function nisDomain(): string | undefined {
  if (files.stat(domainFile) === undefined) return undefined;
  // the system tells no size of it
  const file = files.open(domainFile);
  try {
    const buffer = Buffer.alloc(1024);
    const name = buffer.toString('latin1', 0, files.readNext(file, buffer)).replace(/\n$/, '');
    return name === '' || name === '(none)' ? undefined : name;
  } finally {
    files.close(file);
  }
}

/** Asks ypbind, which listens where the portmapper says, for a server of the domain. */
async function serverOf(domain: string, portmapper: RpcPlace): Promise<RpcPlace | undefined> {
  const port = await rpcPort(portmapper, binding);
  if (port === undefined) return undefined;
  const results = await callRpc({ ...portmapper, port }, binding, xdr(domain));
  if (results?.number() !== bound) return undefined;
  const [address, ports] = [results.octets(4), results.octets(2)];
  return address && ports && { address: address.join('.'), port: ports.readUInt16BE() };
}

const defer = (message: string): Found => ({ outcome: 'defer', message });

/** The maps of a domain, asked for on one machine. */
export class NisMaps {
  readonly #domain: string;
  readonly #portmapper: RpcPlace;
  #server: RpcPlace | undefined;

  constructor(domain: string, portmapper: RpcPlace = thisMachine) {
    this.#domain = domain;
    this.#portmapper = portmapper;
  }

  async find(map: string, key: string): Promise<Found> {
    const question = xdr(this.#domain, map, key);
    const known = this.#server;
    let results = known && (await callRpc(known, match, question));
    if (results === undefined) {
      // there was none, or it has gone: another may have taken its place
      this.#server = await serverOf(this.#domain, this.#portmapper);
      if (this.#server === undefined) return defer(`no NIS server is known for the domain ${this.#domain}`);
      results = await callRpc(this.#server, match, question);
    }
    const code = results?.number();
    if (results === undefined || code === undefined) return defer(`the NIS server of ${this.#domain} does not answer`);
    const said = code | 0;
    if (absences.has(said)) return notFound;
    if (said !== found) return defer(`NIS map ${map}: ${problems.get(said) ?? `error ${said}`}`);
    const value = results.string();
    return value === undefined ? defer(`NIS map ${map}: the answer is broken`) : { outcome: 'found', value };
  }
}

/** Keys end with a NUL in some maps. */
const nisType = (name: string, doc: string, end: string): SingleKeyLookup =>
  defineLookup({
    name,
    doc,
    style: 'single-key',
    options: [],
    vouches: true,
    purpose: `for ${name} lookup`,
    open(map) {
      const domain = nisDomain();
      if (domain === undefined) throw new LookupProblem('failed to get default NIS domain');
      const maps = new NisMaps(domain);
      return { find: (key) => maps.find(map, `${key}${end}`), close: () => undefined };
    },
  });

export const nis = nisType('nis', 'maps of the Network Information Service', '');
export const nis0 = nisType('nis0', 'such maps whose keys end with a NUL', '\0');
