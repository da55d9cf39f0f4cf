/** Routers, which dealt with all domains that are not local: routers still, that say so (Exim spec 15, 17, 20). */

import { trim } from '../../lib/octets.ts';
import { type BlockRules, NewBlock } from './block.ts';
import { lookupText } from './directors.ts';
import { type Output, shown } from './output.ts';
import { commonRules, mayBeSkipped, writeNoMore } from './routing-options.ts';
import type { OldBlock, OldSetting } from './text.ts';
import { asValue, type Names } from './values.ts';

const common: BlockRules = new Map([
  ...commonRules,
  ['fallback_hosts', (setting: OldSetting, block: NewBlock) => block.keep(setting)],
]);

const lookuphost: BlockRules = new Map([...common, ['mx_domains', { list: 'domain' }]] as const);

const domainlist: BlockRules = new Map([
  ...common,
  ['mx_domains', { gone: 'a host whose MX records are wanted is followed by /MX' }],
  ['qualify_single', { gone: 'names of hosts are looked up as they stand' }],
  ['search_parents', { gone: 'names of hosts are looked up as they stand' }],
] as const);

/** `self`: words that had older forms, and the local host that is taken for local after all. */
function writeSelf(block: NewBlock, firstDirector: string | undefined): void {
  const setting = block.get('self');
  const word = block.plain('self') ?? '';
  if (setting === undefined) return;
  if (word === 'fail_soft') block.write('self = pass', setting, shown(setting));
  else if (word === 'fail_hard') block.write('self = fail', setting, shown(setting));
  else if (word === 'local') {
    const to = firstDirector === undefined ? 'fail' : 'pass';
    block.write(
      `self = ${to}`,
      setting,
      `${shown(setting)}: ${firstDirector === undefined ? 'there is no director' : 'it goes on with the first of those that were directors'}`,
    );
    if (firstDirector !== undefined) block.write(`pass_router = ${firstDirector}`, setting);
  } else block.keep(setting);
}

/** What a domainlist router says of how hosts are looked up. */
function newRoute(hosts: string, block: NewBlock, from: OldSetting): string {
  return hosts.replace(
    /^((?:"[^"]*"|[^ \t"]+)[ \t]+)((?:"[^"]*"|[^ \t"]+))((?:[ \t]+\w+)*)$/,
    (_, domain: string, list: string, options: string) => {
      if (!/\bbydns(?:_mx|_a)?\b/.test(options)) return `${domain}${list}${options}`;
      const kind = /\bbydns(_mx|_a)?\b/.exec(options)?.[1];
      if (kind === '_a') {
        block.remark('bydns_a is bydns', from);
        return `${domain}${list}${options.replace('bydns_a', 'bydns')}`;
      }
      block.remark(`${trim(options)} looked for MX records: the hosts are followed by /MX`, from);
      const rest = options.replace(/[ \t]*\bbydns(?:_mx)?\b/, '');
      const names = list
        .replace(/^"(.*)"$/, '$1')
        .split(/[ \t]*(?<!:):(?!:)[ \t]*/)
        .filter((name) => name !== '');
      const marked = names.map((name) => (/^[0-9.]+$|^\[/.test(name) ? name : `${name}/MX`)).join(':');
      return `${domain}${marked}${rest}`;
    },
  );
}

function routeList(block: NewBlock): void {
  const setting = block.get('route_list');
  if (setting === undefined) return;
  const text = block.text('route_list');
  const items = text.split(/[ \t]*;[ \t]*/);
  const now = items.map((item) => newRoute(item, block, setting));
  if (items.every((item, index) => item === now[index])) block.keep(setting);
  else block.write(`route_list = ${asValue(now.join(' ; '))}`, setting);
}

function writeDomainlist(block: NewBlock, name: string): ReadonlySet<string> {
  block.begin(name, 'manualroute');
  const done = new Set(['route_list', 'route_file', 'route_query', 'route_queries', 'search_type']);
  const source = ['route_file', 'route_query', 'route_queries'].map((option) => block.get(option)).find(Boolean);
  const found = lookupText(block, '$domain', 'route_file', 'route_query', 'route_queries');
  if (found !== undefined && source !== undefined) {
    const type = block.get('search_type');
    if (type !== undefined) block.remark(`${shown(type)}: part of route_data`, type);
    if (block.get('route_list') !== undefined) {
      // the list was asked before the table; both cannot stand in one router
      block.output.error(
        `${block.old.name}: route_list and a table cannot stand together`,
        source.line.number,
        'make two routers of it',
      );
    }
    block.remark('bydns_a and bydns_mx in the table are taken as bydns', source);
    block.write(`route_data = ${asValue(`\${sg{${found}}{\\N\\bbydns_(a|mx)\\b\\N}{bydns}}`)}`, source, shown(source));
  } else routeList(block);
  return done;
}

function writeLookuphost(
  block: NewBlock,
  name: string,
): { readonly rules: BlockRules; readonly done: ReadonlySet<string> } {
  const byName = block.get('gethostbyname');
  if (byName?.on !== true) {
    block.begin(name, 'dnslookup');
    return { rules: lookuphost, done: new Set(['gethostbyname']) };
  }
  block.begin(name, 'manualroute');
  block.write('route_data = $domain byname', byName, shown(byName));
  const gone = [
    'gethostbyname',
    'check_secondary_mx',
    'mx_domains',
    'qualify_single',
    'rewrite_headers',
    'search_parents',
    'widen_domains',
  ];
  for (const option of gone.slice(1)) {
    const setting = block.get(option);
    if (setting !== undefined)
      block.output.warning(`${block.old.name}: ${option} has no counterpart with gethostbyname`, setting.line.number);
  }
  return { rules: common, done: new Set(gone) };
}

/** Writes the new routers. `firstDirector` is where an address goes on that is local after all. */
export function convertRouters(
  blocks: readonly OldBlock[],
  firstDirector: string | undefined,
  output: Output,
  names: Names,
): void {
  let needsEnd = blocks.length === 0;
  for (const [index, old] of blocks.entries()) {
    const block = new NewBlock(old, output, names, false);
    const { number } = old.heading;
    const driver = block.plain('driver') ?? '';
    const own = block.get('domains');
    const domains = `! +local_domains${own === undefined ? '' : ` : ${names.list(own, 'domain', 'other', true).text}`}`;
    const before = output.numbers.length;
    let rules = common;
    let done: ReadonlySet<string> = new Set();
    if (driver === 'lookuphost') ({ rules, done } = writeLookuphost(block, old.name));
    else if (driver === 'domainlist') {
      rules = domainlist;
      done = writeDomainlist(block, old.name);
    } else if (unchanged.has(driver)) {
      block.begin(old.name, driver);
      if (driver === 'queryprogram') {
        output.warning(`${old.name}: what the program of a queryprogram router prints has another form now`, number);
      }
    } else {
      output.error(
        `${old.name}: there is no router of the kind "${driver}"`,
        number,
        `known are lookuphost, domainlist, ${[...unchanged].join(', ')}`,
      );
      needsEnd = true;
      continue;
    }
    block.write(`domains = ${domains}`, own);
    writeSelf(block, firstDirector);
    block.settings(rules, new Set([...done, 'domains', 'self']));
    if (output.numbers.length === before) continue;
    writeNoMore(old.name, block, domains);
    if (index < blocks.length - 1) continue;
    needsEnd = mayBeSkipped(block);
    if (!needsEnd && block.isOn('more', true)) block.write('no_more', undefined);
  }
  if (needsEnd) writeEnd(output);
}

const unchanged: ReadonlySet<string> = new Set(['iplookup', 'ipliteral', 'queryprogram']);

/** Nothing behind it is for domains that are not local. */
function writeEnd(output: Output): void {
  output.remark('mail for other domains must not come to what were directors', 0);
  output.write('not_for_other_domains:', 0);
  for (const line of ['driver = redirect', 'domains = ! +local_domains', 'data = :unknown:', 'no_more']) {
    output.write(`  ${line}`, 0);
  }
}
