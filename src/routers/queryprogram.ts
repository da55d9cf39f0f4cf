/** The queryprogram router runs a program for each address and does what its line of output says (Exim spec 21). */

import type { Context } from '../expand/context.ts';
import { compileTemplate } from '../expand/expand.ts';
import { extractNamed } from '../expand/items/choices.ts';
import { readRedirectionList } from '../filter/redirection-list.ts';
import { splitCommand } from '../lib/command-text.ts';
import { lower, trim } from '../lib/octets.ts';
import type { OptionsOf } from '../options/table.ts';
import { mayBecomeOthers, withFullRights } from '../safe/privileges.ts';
import { run } from '../safe/spawn.ts';
import { clean, reviewed, Text } from '../safe/taint.ts';
import type { RouterCommonOptions } from './common-options.ts';
import { findHosts, type HostSearch } from './host-search.ts';
import { queryprogramOptions } from './queryprogram-options.ts';
import { type Child, defineRouter, type Routed, type RouterOutcome, type RouterServices } from './router.ts';

type Options = OptionsOf<typeof queryprogramOptions>;

const defer = (message: string, freeze = false): RouterOutcome => ({ outcome: 'defer', message, freeze });

/** What a program may say; the line itself is much shorter. */
const longestOutput = 64 * 1024;
const longestLine = 1023;

/** Runs the command; answers its line, or what is made of a program that does not work. */
async function ask(options: Options, words: readonly Text[], context: Context): Promise<string | RouterOutcome> {
  const router = `${context.address?.routerName ?? ''} router`;
  const proven = words.map(clean);
  const tainted = proven.indexOf(undefined);
  if (tainted >= 0) {
    return defer(`Tainted arg ${tainted} for queryprogram router command: '${words[tainted]?.value}'`);
  }
  const [program, ...args] = proven.filter((word) => word !== undefined);
  if (program === undefined || !program.startsWith('/')) return defer(`${router}: command returned non-zero code 127`);
  const user =
    options.command_user !== undefined && 'user' in options.command_user ? options.command_user.user : undefined;
  const group =
    options.command_group !== undefined && 'group' in options.command_group
      ? options.command_group.group.gid
      : user?.gid;
  const rights = mayBecomeOthers() && user !== undefined ? { uid: user.uid, gid: group ?? user.gid } : {};
  const result = await withFullRights(() =>
    run(
      {
        program,
        args,
        environment: Object.fromEntries(context.settings.environment),
        directory: reviewed(options.current_directory ?? '/', 'an option of the configuration'),
        umask: 0o077,
        timeout: options.timeout * 1000,
        maximumOutput: longestOutput,
        ...rights,
      },
      async () => undefined,
    ),
  );
  switch (result.outcome) {
    case 'timeout':
      return defer(`${router}: command timed out`, true);
    case 'signalled':
      return defer(`${router}: command terminated by signal ${result.signal}`);
    case 'not run':
      return defer(`${router}: command returned non-zero code 127`);
    case 'exited': {
      if (result.status !== 0) return defer(`${router}: command returned non-zero code ${result.status}`);
      const output = result.output.toString('latin1').slice(0, longestLine);
      return output === '' ? defer(`${router}: command failed to return data`) : output.replace(/\n.*$/s, '');
    }
  }
}

/** What an answer is worked on with. */
interface Work {
  readonly rest: string;
  readonly common: RouterCommonOptions;
  readonly routed: Routed;
  readonly context: Context;
  readonly services: RouterServices;
}

const lookups: ReadonlyMap<string, HostSearch['lookup']['by']> = new Map([
  ['byname', 'name'],
  ['bydns', 'dns'],
]);

/** `accept transport=… hosts=… lookup=… data=…` */
async function accept({ rest, common, routed, context, services }: Work): Promise<RouterOutcome> {
  const data = Text.vouched(rest);
  const field = (name: string): string | undefined => extractNamed(name, data)?.value;
  const told = (message: string): RouterOutcome => {
    services.log(`${context.address?.routerName} router: ${message} yielded by command`);
    return defer(`${message} yielded by command`);
  };
  const addressData = field('data');
  if (addressData !== undefined && context.address) context.address.addressData = Text.vouched(addressData);
  const transport = field('transport');
  if (transport !== undefined && !services.transportExists(transport))
    return told(`unknown transport name ${transport}`);
  const verifies = routed.purpose === 'verify recipient' || routed.purpose === 'verify sender';
  if (transport === undefined && common.transport === undefined && !verifies) {
    return defer(`transport unset in ${context.address?.routerName} router`);
  }
  const word = field('lookup');
  const by = word === undefined ? 'default' : lookups.get(lower(word));
  if (by === undefined) return told(`bad lookup type "${word}"`);
  const hosts = field('hosts') ?? '';
  if (hosts === '') return { outcome: 'accept', transport };
  const search: HostSearch = {
    randomize: false,
    lookup: { by, ipv4Only: false, ipv4Prefer: false },
    whenNotFound: 'freeze',
    whenAllIgnored: 'defer',
  };
  const found = await findHosts(hosts, search, common, routed, context, services);
  return 'outcome' in found ? found : { outcome: 'accept', hosts: found.hosts, transport };
}

/** `redirect` and addresses; files and commands are not to be delivered to. */
function redirect({ rest, services }: Work): RouterOutcome {
  const result = readRedirectionList(rest, {
    allowFail: true,
    allowDefer: true,
    forbidBlackhole: true,
    forbidInclude: true,
    skipSyntaxErrors: false,
    allowDomainLiterals: services.allowDomainLiterals,
    include: () => ({ error: 'inclusion is not permitted' }),
  });
  if (result.outcome === 'fail') return { outcome: 'fail', message: result.message };
  if (result.outcome === 'defer') return { outcome: 'defer', message: result.message, publicMessage: result.message };
  if (result.outcome === 'error') return defer(`error in redirect data: ${result.message}`);
  const items = result.outcome === 'list' ? result.items : [];
  if (items.length === 0) return defer('error in redirect data: no addresses supplied');
  const children = items.flatMap((item): Child[] => {
    if (item.kind === 'file' || item.kind === 'pipe') {
      const refused = { outcome: 'failed', code: 0, message: `delivery to ${item.kind} forbidden` } as const;
      return [{ kind: item.kind, text: item.text, clean: false, refused }];
    }
    if (item.kind !== 'address') return [];
    const text = item.qualified ? item.address : `${item.address}@${services.qualifyRecipient}`;
    return [{ kind: 'address', text, clean: false }];
  });
  return { outcome: 'redirect', children, rewrite: true, hidden: false, oneTime: false };
}

type Answer = (work: Work) => RouterOutcome | Promise<RouterOutcome>;

const answers: ReadonlyMap<string, Answer> = new Map<string, Answer>([
  ['accept', accept],
  ['decline', () => ({ outcome: 'decline' })],
  ['fail', ({ rest }) => ({ outcome: 'fail', message: rest })],
  ['defer', ({ rest }) => defer(rest)],
  ['freeze', ({ rest }) => defer(rest, true)],
  ['pass', () => ({ outcome: 'pass' })],
  ['redirect', redirect],
]);

export const queryprogram = defineRouter({
  name: 'queryprogram',
  summary: 'asks a program what to do',
  options: queryprogramOptions,
  transport: 'optional',
  check({ command, command_user: user }) {
    if (command === undefined) return 'a command specification is required';
    return user === undefined ? 'command_user must be specified' : undefined;
  },
  make(options, common) {
    const source = options.command?.source ?? '';
    const templates = splitCommand(source).map(compileTemplate);
    return async (routed, context, services) => {
      const words: Text[] = [];
      for (const template of templates) {
        const expansion = await template.expand(context);
        if (!expansion.ok) {
          const place = `from command "${source}" in queryprogram router`;
          return defer(`Expansion of "${template.source}" ${place} failed: ${expansion.message}`);
        }
        words.push(expansion.text);
      }
      const line = await ask(options, words, context);
      if (typeof line !== 'string') return line;
      const [, word = '', rest = ''] = /^[ \t]*([^ \t]*)[ \t]*(.*)$/s.exec(line) ?? [];
      const answer = answers.get(lower(word));
      if (answer !== undefined) return answer({ rest: trim(rest), common, routed, context, services });
      const shown = trim(`bad command yield: ${word} ${rest}`);
      services.log(`${context.address?.routerName} router: ${shown}`);
      return defer(shown);
    };
  },
});
