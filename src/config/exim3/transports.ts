/** Transports: new names, and batches, which are said in another way. */

import { type BlockRules, NewBlock } from './block.ts';
import { type Output, shown } from './output.ts';
import type { OldBlock, OldSetting } from './text.ts';
import type { Names } from './values.ts';

const common: BlockRules = new Map([
  ['add_headers', { to: 'headers_add' }],
  ['remove_headers', { to: 'headers_remove' }],
]);

/** `batch` and `bsmtp` say which addresses go together; `batch_max` was 100 when it was not set. */
function batch(setting: OldSetting, block: NewBlock): void {
  const { name } = setting;
  const bsmtp = block.plain('bsmtp') ?? 'none';
  // bsmtp says all when both are there
  if (name === 'batch' && bsmtp !== 'none') {
    block.remark(`${shown(setting)}: bsmtp says it`, setting);
    return;
  }
  const how = name === 'batch' ? block.plain('batch') : bsmtp;
  if (name === 'bsmtp' && how !== 'none') block.write('use_bsmtp', setting, shown(setting));
  else block.remark(shown(setting), setting);
  if (how === 'domain') block.write('batch_id = $domain', setting);
  if (how === 'local_part') block.write('batch_id = $local_part', setting);
  if (how !== 'none' && how !== 'one') block.write(`batch_max = ${block.text('batch_max') || '100'}`, setting);
}

/** Greets in batched SMTP; the prefix of the message does it now. */
function greeting(setting: OldSetting, block: NewBlock): void {
  if (setting.on) block.write('message_prefix = "HELO $primary_hostname\\n"', setting, shown(setting));
  else block.remark(`${shown(setting)}: it is the default`, setting);
}

const local: BlockRules = new Map([
  ...common,
  ['batch', batch],
  ['batch_max', { gone: 'it is said where addresses go together' }],
  ['bsmtp', batch],
  ['bsmtp_helo', greeting],
  [
    'from_hack',
    (setting: OldSetting, block: NewBlock) => {
      if (setting.on) block.remark(`${shown(setting)}: it is the default`, setting);
      else {
        block.write('check_string =', setting, shown(setting));
        block.write('escape_string =', setting);
      }
    },
  ],
  [
    'prefix',
    (setting: OldSetting, block: NewBlock) => {
      if (block.isOn('bsmtp_helo')) block.remark(`${shown(setting)}: batched SMTP has none`, setting);
      else block.rename(setting, 'message_prefix');
    },
  ],
  ['require_lockfile', { gone: 'a lock file is always required where use_lockfile is set' }],
  ['suffix', { to: 'message_suffix' }],
]);

const smtp: BlockRules = new Map([
  ...common,
  ['authenticate_hosts', { list: 'host', to: 'hosts_try_auth' }],
  ['batch_max', { to: 'connection_max_messages' }],
  ['hosts_avoid_tls', { list: 'host' }],
  ['hosts_require_tls', { list: 'host' }],
  ['mx_domains', { gone: 'hosts are looked up by their addresses, not as mail domains' }],
  ['serialize_hosts', { list: 'host' }],
  ['service', { to: 'port' }],
  ['tls_verify_ciphers', { to: 'tls_require_ciphers' }],
] as const);

const lmtp: BlockRules = new Map([
  ...common,
  ['batch', batch],
  ['batch_max', { gone: 'it is said where addresses go together' }],
] as const);

const rulesOf: ReadonlyMap<string, BlockRules> = new Map([
  ['appendfile', local],
  ['pipe', local],
  ['smtp', smtp],
  ['lmtp', lmtp],
]);

/** `checked` are transports that only local users come to. */
export function convertTransports(
  blocks: readonly OldBlock[],
  checked: ReadonlySet<string>,
  output: Output,
  names: Names,
): void {
  for (const old of blocks) {
    const block = new NewBlock(old, output, names, checked.has(old.name));
    const driver = block.plain('driver') ?? '';
    block.begin(old.name, driver);
    const rules = rulesOf.get(driver) ?? common;
    // a batch_max that is alone said how many addresses lmtp gives at once
    const alone = block.get('batch') === undefined && block.get('bsmtp') === undefined;
    const max = block.get('batch_max');
    const keepsMax = alone && max !== undefined && driver === 'lmtp';
    block.settings(rules, new Set(keepsMax ? ['batch_max'] : []));
    if (keepsMax) block.keep(max);
  }
}
