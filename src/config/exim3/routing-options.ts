/** What directors and routers had in common. */

import type { BlockRules, NewBlock } from './block.ts';
import type { OldSetting } from './text.ts';
import type { Names } from './values.ts';

/** Their lists were expanded as a whole, so that regular expressions in them are written for that. */
export const commonRules: BlockRules = new Map([
  ['domains', { list: 'domain', wasExpanded: true }],
  ['local_parts', { list: 'local part', wasExpanded: true }],
  ['senders', { list: 'sender', wasExpanded: true }],
] as const);

export const hasAffix = (block: NewBlock): boolean => affixes.some((affix) => block.get(affix) !== undefined);

export const wholeName = '$local_part_prefix$local_part$local_part_suffix';

/** A list of local parts as a condition for the local part with its affixes. Such a list is not expanded. */
export function localPartsCondition(
  setting: OldSetting,
  names: Names,
): { readonly text: string } | { readonly problem: string } {
  const { text } = names.list(setting, 'local part', 'other', true);
  if (/[$\\{}]/.test(text)) return { problem: 'local_parts with an expansion cannot stand beside a prefix or suffix' };
  return { text: `condition = \${if match_local_part{${wholeName}}{${text}}{yes}{no}}` };
}

/** Conditions that hold before a driver is asked at all, so that `no_more` says nothing when they do not. */
const early: readonly string[] = ['domains', 'local_parts'];
/** When one of these did not hold, Exim 3 took the address as declined, so that `no_more` counted. */
const late: readonly string[] = ['senders', 'require_files', 'condition'];
const affixes: readonly string[] = ['prefix', 'suffix'];

/**
 * A router behind one that has `no_more` and a late condition: where the condition does not hold, Exim 4 goes on to the
 * next router, and Exim 3 did not.
 */
export function writeNoMore(name: string, block: NewBlock, domains: string | undefined): void {
  if (block.isOn('more', true) || !late.some((option) => block.get(option) !== undefined)) return;
  const { output, old } = block;
  const { number } = old.heading;
  output.remark(`no_more held for ${old.name} even where its ${late.join(', ')} did not let it run`, number);
  output.write(`${name}_no_more:`, number);
  block.write('driver = redirect', undefined);
  const local = block.get('local_parts');
  if (domains !== undefined) block.write(`domains = ${domains}`, block.get('domains'));
  if (local !== undefined) {
    const condition = hasAffix(block) ? localPartsCondition(local, block.names) : undefined;
    const plain = `local_parts = ${block.names.list(local, 'local part', 'other', true).text}`;
    block.write(condition !== undefined && 'text' in condition ? condition.text : plain, local);
  }
  for (const affix of affixes) {
    const setting = block.get(affix);
    if (setting === undefined) continue;
    block.write(`local_part_${affix} = ${block.text(affix)}`, setting);
    if (block.isOn(`${affix}_optional`)) block.write(`local_part_${affix}_optional`, block.get(`${affix}_optional`));
  }
  if (block.checkedUser) block.write('check_local_user', undefined);
  block.write('data = :unknown:', undefined);
  block.write('no_more', undefined);
}

/** Whether an address can pass by the driver without being asked about. */
export function mayBeSkipped(block: NewBlock): boolean {
  const conditions = [
    ...early,
    ...late,
    ...affixes,
    'verify',
    'verify_only',
    'verify_recipient',
    'verify_sender',
    'unseen',
  ];
  return (
    conditions.some((option) => block.get(option) !== undefined) ||
    block.isOn('pass_on_timeout') ||
    block.plain('host_find_failed') === 'pass' ||
    block.plain('driver') === 'queryprogram' ||
    passes(block)
  );
}

const passes = (block: NewBlock): boolean => /^(?:pass|fail_soft|local)$/.test(block.plain('self') ?? '');
