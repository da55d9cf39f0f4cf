/** Directors, which dealt with local domains: routers like all others now (Exim spec 15, 16, 22). */

import { splitList } from '../../lib/list-text.ts';
import { type BlockRules, NewBlock } from './block.ts';
import { replaceKey } from './lists.ts';
import { type Output, shown } from './output.ts';
import { commonRules, hasAffix, localPartsCondition, wholeName, writeNoMore } from './routing-options.ts';
import type { OldBlock, OldSetting } from './text.ts';
import { asValue, type Names } from './values.ts';

const rules: BlockRules = new Map([
  ...commonRules,
  ['allow_system_actions', { to: 'allow_freeze' }],
  ['current_directory', { to: 'transport_current_directory' }],
  ['directory2_transport', { gone: 'it is part of directory_transport' }],
  ['filter', { to: 'allow_filter' }],
  ['freeze_missing_include', { gone: 'an address whose included file is missing is deferred' }],
  ['home_directory', { to: 'transport_home_directory' }],
  ['local_parts', (setting, block) => localParts(setting, block)],
  ['match_directory', (setting, block) => matchDirectory(setting, block)],
  ['new_director', (setting, block) => block.rename(setting, 'redirect_router')],
  ['panic_expansion_fail', { gone: 'an expansion that fails defers the address' }],
  ['prefix', { to: 'local_part_prefix' }],
  ['prefix_optional', { to: 'local_part_prefix_optional' }],
  ['seteuid', { gone: 'rights are changed without it' }],
  ['suffix', { to: 'local_part_suffix' }],
  ['suffix_optional', { to: 'local_part_suffix_optional' }],
  ['condition', (setting, block) => block.keep(setting, wholeLocalPart(block))],
  ['require_files', (setting, block) => block.keep(setting, wholeLocalPart(block))],
  [
    'unseen',
    (setting, block) => {
      block.remark(`${shown(setting)}: the copy goes on with the next router; it began at the first director`, setting);
      block.keep(setting);
    },
  ],
] satisfies [string, BlockRules extends ReadonlyMap<string, infer Rule> ? Rule : never][]);

/** Conditions saw the local part with its prefix and suffix, which are taken off before them now. */
function wholeLocalPart(block: NewBlock): ((text: string) => string) | undefined {
  if (!hasAffix(block)) return undefined;
  return (text) => text.replace(/\$(?:local_part\b|\{local_part\})/g, () => wholeName);
}

/** `local_parts` tests the local part without its affixes now; a condition tests the whole. */
function localParts(setting: OldSetting, block: NewBlock): void {
  if (!hasAffix(block)) {
    block.list(setting, { list: 'local part', wasExpanded: true });
    return;
  }
  const condition = localPartsCondition(setting, block.names);
  if ('problem' in condition) {
    block.output.error(condition.problem, setting.line.number, 'write it as a condition with match_local_part');
  } else block.write(condition.text, setting, `${shown(setting)}: it is for the local part with its prefix and suffix`);
}

/** The home directory of a user must be below one, or match a pattern. */
function matchDirectory(setting: OldSetting, block: NewBlock): void {
  const pattern = block.text('match_directory');
  const remark = shown(setting);
  if (pattern.startsWith('^')) block.write(`condition = \${if match{$home}{\\N${pattern}\\N}}`, setting, remark);
  else if (pattern.startsWith('*')) {
    const tail = `\${rxquote:${pattern.slice(1)}}`;
    block.write(`condition = \${if match{$home}{${tail}\\$}}`, setting, remark);
  } else block.write(`condition = \${if eq{$home}{${pattern}}}`, setting, remark);
}

/** The lookup that an aliasfile director does; `key` is what it looks for. */
export function lookupText(
  block: NewBlock,
  key: string,
  file: string,
  query: string,
  queries: string,
): string | undefined {
  const type = block.plain('search_type') ?? '';
  const quote = type.startsWith('ldap') ? 'ldap' : type;
  const withKey = (text: string): string => replaceKey(text, key, `\${quote_${quote}:${key}}`);
  if (block.get(file) !== undefined) return `\${lookup{${key}}${type}{${block.text(file, true)}}}`;
  const one = block.get(query);
  if (one !== undefined) return `\${lookup ${type}{${withKey(block.text(query))}}}`;
  const several = block.get(queries);
  if (several === undefined) return undefined;
  const texts = splitList(block.names.text(several)).items.map(withKey);
  return texts.reduceRight((no, text) => `\${lookup ${type}{${text}}{$value}{${no}}}`, '');
}

interface Draft {
  readonly block: NewBlock;
  readonly name: string;
  readonly output: Output;
}

/** Rules for the options of redirection, with two transports for directories joined. */
function redirectionRules(block: NewBlock): BlockRules {
  const second = block.get('directory2_transport');
  if (second === undefined) return rules;
  return new Map([
    ...rules,
    [
      'directory_transport',
      (setting: OldSetting) =>
        block.write(
          `directory_transport = \${if match{$address_file}{\\N//$\\N}{${block.text('directory2_transport')}}{${block.text('directory_transport')}}}`,
          setting,
          shown(setting),
        ),
    ],
  ]);
}

/** `:fail:` and `:defer:` were honoured unless special items were forbidden. */
function writeSpecials(block: NewBlock): void {
  const forbids = block.get('forbid_special');
  if (forbids?.on === true) block.write('forbid_blackhole', forbids, shown(forbids));
  else for (const option of ['allow_fail', 'allow_defer']) block.write(option, forbids);
}

function aliasfile({ block, name, output }: Draft): void {
  const key = block.isOn('include_domain') ? '$local_part@$domain' : '$local_part';
  const plain = lookupText(block, key, 'file', 'query', 'queries');
  const done = new Set([
    'file',
    'query',
    'queries',
    'search_type',
    'include_domain',
    'expand',
    'optional',
    'forbid_special',
  ]);
  const source = block.get('file') ?? block.get('query') ?? block.get('queries');
  if (plain === undefined || block.plain('search_type') === undefined) {
    output.error(
      `${block.old.name}: an aliasfile director needs search_type, and file, query or queries`,
      block.old.heading.number,
    );
    return;
  }
  const optional = block.isOn('optional') && block.get('file') !== undefined;
  const found = optional ? `\${if exists{${block.text('file', true)}}{${plain}}}` : plain;
  if (block.isOn('optional') && !optional) {
    output.warning(
      `${block.old.name}: optional has no counterpart for a query; a server that is away defers`,
      block.old.heading.number,
    );
  }
  const data = block.isOn('expand') ? `\${expand:${found}}` : found;
  const toTransport = block.get('transport') !== undefined;
  block.begin(name, toTransport ? 'accept' : 'redirect');
  for (const option of ['search_type', 'include_domain', 'optional', 'expand']) {
    const setting = block.get(option);
    if (setting !== undefined)
      block.remark(`${shown(setting)}: ${toTransport ? 'part of condition' : 'part of data'}`, setting);
  }
  const was = source === undefined ? '' : shown(source);
  if (toTransport) {
    block.write(`condition = \${if eq{}{${data}}{no}{yes}}`, source, was);
    block.settings(rules, new Set([...done, ...redirectionOnly]));
    return;
  }
  block.write(`data = ${asValue(data)}`, source, was);
  writeSpecials(block);
  const owner = ['modemask', 'owners', 'owngroups'];
  for (const option of owner) {
    const setting = block.get(option);
    if (setting !== undefined)
      block.remark(`${shown(setting)}: tables of lookups have no owner to be checked`, setting);
  }
  block.settings(redirectionRules(block), new Set([...done, ...owner]));
}

/** Options that mean nothing where a transport takes the address. */
const redirectionOnly: readonly string[] = [
  'check_ancestor',
  'directory_transport',
  'directory2_transport',
  'file_transport',
  'forbid_file',
  'forbid_pipe',
  'freeze_missing_include',
  'hide_child_in_errmsg',
  'modemask',
  'new_address',
  'new_director',
  'one_time',
  'owners',
  'owngroups',
  'pipe_transport',
  'qualify_preserve_domain',
  'rewrite',
  'skip_syntax_errors',
  'syntax_errors_text',
  'syntax_errors_to',
];

function forwardfile({ block, name, output }: Draft): void {
  const file = block.get('file');
  if (file === undefined) {
    output.error(`${block.old.name}: a forwardfile director needs file`, block.old.heading.number);
    return;
  }
  block.begin(name, 'redirect');
  if (block.isOn('check_local_user', true)) block.write('check_local_user', block.get('check_local_user'));
  const path = block.text('file');
  const directory = block.get('file_directory') === undefined ? '$home' : block.text('file_directory', true);
  const whole = /^(?:\/|\$\{?home\b|SAFE_)/.test(path) || path.startsWith('${if') ? path : `${directory}/${path}`;
  block.write(`file = ${asValue(whole)}`, file, shown(file));
  block.settings(redirectionRules(block), new Set(['file', 'file_directory', 'check_local_user']));
}

function smartuser({ block, name, output }: Draft): void {
  const address = block.get('new_address');
  if (address === undefined) {
    block.begin(name, 'accept');
    block.settings(rules, new Set());
    return;
  }
  const transport = block.get('transport');
  block.begin(name, 'redirect');
  if (transport !== undefined) {
    block.write(`address_data = ${name}`, transport, `${shown(transport)}: the router behind this one has it`);
    block.write(`redirect_router = ${name}_delivery`, transport);
  }
  block.write(`data = ${asValue(block.text('new_address'))}`, address, shown(address));
  writeSpecials(block);
  block.settings(redirectionRules(block), new Set(['new_address', 'forbid_special', 'transport']));
  if (transport === undefined) return;
  // the new address comes here with the mark of the router above, and no other does
  output.write(`${name}_delivery:`, block.old.heading.number);
  block.write('driver = accept', undefined);
  block.write(`condition = \${if eq{$address_data}{${name}}}`, undefined);
  block.write(`transport = ${block.text('transport')}`, transport);
}

function localuser({ block, name }: Draft): void {
  block.begin(name, 'accept');
  block.write('check_local_user', undefined);
  block.settings(rules, new Set(['check_local_user']));
}

const drivers: ReadonlyMap<string, (draft: Draft) => void> = new Map([
  ['aliasfile', aliasfile],
  ['forwardfile', forwardfile],
  ['localuser', localuser],
  ['smartuser', smartuser],
]);

/** Whether a director looks only at local users, whose names are sure. */
export function looksForUser(block: OldBlock): boolean {
  const find = (name: string): OldSetting | undefined => block.settings.findLast((setting) => setting.name === name);
  const driver = find('driver')?.plain;
  return driver === 'localuser' || (driver === 'forwardfile' && find('check_local_user')?.on !== false);
}

/** `names` of the new routers by those of the directors. */
export function convertDirectors(
  blocks: readonly OldBlock[],
  newNames: ReadonlyMap<string, string>,
  caseful: OldSetting | undefined,
  output: Output,
  names: Names,
): void {
  for (const old of blocks) {
    const block = new NewBlock(old, output, names, looksForUser(old));
    const name = newNames.get(old.name) ?? old.name;
    const driver = block.plain('driver') ?? '';
    const convert = drivers.get(driver);
    if (convert === undefined) {
      output.error(
        `${old.name}: there is no director of the kind "${driver}"`,
        old.heading.number,
        `known are ${[...drivers.keys()].join(', ')}`,
      );
      continue;
    }
    const before = output.numbers.length;
    convert({ block, name, output });
    if (output.numbers.length === before) continue;
    if (caseful !== undefined) block.write('caseful_local_part', caseful);
    if (!block.checkedUser && block.get('retry_use_local_part') === undefined)
      block.write('retry_use_local_part', undefined);
    const domains = block.get('domains');
    writeNoMore(name, block, domains === undefined ? undefined : names.list(domains, 'domain', 'other', true).text);
  }
}
