/** Connections through SOCKS proxies: which are tried, in which order, and what their answers come to (Exim spec 59.2). */

import { constants } from 'node:os';
import { splitList } from '../lib/list-text.ts';
import { chooseWeighted, type Weighted } from '../lib/weighted.ts';
import { type Connected, connectTcp, type NotConnected, type TcpTarget } from '../net/connect.ts';
import { goThrough } from '../net/socks.ts';
import { contextOf, type ReachableHost, type SmtpSetup } from './smtp-run.ts';
import type { LocalEnd } from './transport.ts';

interface SocksProxy extends Weighted {
  readonly address: string;
  readonly port: number;
  readonly login: { readonly name: string; readonly password: string } | undefined;
  /** Seconds that connecting to it may take. */
  readonly timeout: number;
}

const standardPort = 1080;
const standardTimeout = 5;
/** Proxies of a list that are looked at, as in the real program. */
const mostProxies = 32;

/** Reads `address name=value …` for each proxy; options that are unknown or make no sense are passed over, as in Exim. */
export function parseProxies(list: string): SocksProxy[] {
  return splitList(list)
    .items.filter((item) => item !== '')
    .slice(0, mostProxies)
    .map((item) => {
      const [address = '', ...words] = splitList(item, ' ').items;
      const options = new Map(words.map((word) => [word.replace(/=.*/s, ''), word.replace(/^[^=]*=?/, '')]));
      const number = (name: string, otherwise: number): number => {
        const digits = /^\d{1,9}/.exec(options.get(name) ?? '')?.[0];
        return digits === undefined ? otherwise : Number(digits);
      };
      const logsIn = options.get('auth') === 'name';
      return {
        address,
        port: number('port', standardPort),
        login: logsIn ? { name: options.get('name') ?? '', password: options.get('pass') ?? '' } : undefined,
        timeout: number('tmo', standardTimeout),
        priority: number('pri', 1),
        weight: number('weight', 1),
      };
    });
}

/** A connection, and the proxy that it goes through. */
export type Reached = (Connected & { readonly proxy?: LocalEnd | undefined }) | NotConnected;

const notReached = (code: keyof typeof constants.errno): NotConnected => ({
  outcome: 'other',
  code: constants.errno[code],
  text: '',
});

/** Whether connections to hosts go through proxies at all. */
export const usesProxies = ({ options }: SmtpSetup): boolean => options.socks_proxy !== undefined;

/** Connects to the host through one of the proxies of `socks_proxy`. */
export async function connectThrough(run: SmtpSetup, host: ReachableHost, target: TcpTarget): Promise<Reached> {
  const { options, request, services } = run;
  const expansion = await options.socks_proxy?.expand(contextOf(run, host));
  if (expansion?.ok !== true) {
    services.log(`Bad expansion for socks_proxy in ${request.transport}`);
    return notReached('ENOENT');
  }
  let proxies: readonly SocksProxy[] = parseProxies(expansion.text.value);
  if (proxies.length === 0) return notReached('ENOENT');
  for (let proxy = chooseWeighted(proxies); proxy !== undefined; proxy = chooseWeighted(proxies)) {
    const { address, port, timeout } = proxy;
    const connection = await connectTcp({ ...target, address, port, timeout });
    if (connection.outcome === 'connected') return ask(run, connection, proxy, target);
    services.log(`socks_sock_connect: ${connection.text}`);
    const tried = proxy;
    proxies = proxies.filter((each) => each !== tried);
  }
  return notReached('EBUSY');
}

/** Has a proxy that answers connect to the host; when it will not, no other is asked. */
async function ask(
  { request, services }: SmtpSetup,
  connection: Connected,
  { login, address, port }: SocksProxy,
  target: TcpTarget,
): Promise<Reached> {
  const { decisions } = request.context;
  const answer = await goThrough(connection.stream, {
    address: target.address,
    port: target.port,
    login,
    timeout: target.timeout > 0 ? target.timeout * 1000 : 2 ** 31,
    trace(direction, octets) {
      // the password stands in what is said
      if (decisions.listening && (direction === '<<' || login === undefined || octets[0] !== 1))
        decisions.dialogue(
          `  SOCKS${direction}${[...octets].map((octet) => ` ${octet.toString(16).padStart(2, '0')}`).join('')}`,
        );
    },
  });
  if (answer.outcome === 'through') return { ...connection, proxy: { address, port } };
  connection.stream.close();
  if (answer.text !== undefined) services.log(answer.text);
  return notReached(answer.code);
}
