/**
 * LDIF for a directory of mail domains, users and aliases. Each record is a change of its own, so `ldapadd -c` may load the
 * file again. With a dump of what the directory holds, only what is missing is written.
 */

import { createHash } from 'node:crypto';
import { lower } from '../../lib/octets.ts';
import { formatSize } from '../../lib/sizes.ts';
import type { Form, FormRules } from './form.ts';
import type { Gathered } from './gather.ts';
import { ldifEntries } from './ldif.ts';
import { addition, dnValue, modification, normalDn } from './ldif-text.ts';
import { mailboxPlace, tellMove } from './mailbox-place.ts';
import { type Output, withOutput } from './output-file.ts';
import type { Imported, ImportedAlias, ImportedUser, Origin, Target, Teller } from './record.ts';
import { targetText } from './targets.ts';

/** What is to be in the directory. */
interface Entry {
  readonly dn: string;
  readonly what: string;
  readonly origin: Origin;
  readonly classes: readonly string[];
  readonly attributes: ReadonlyMap<string, readonly string[]>;
}

/** Attributes that say the same in upper and lower case. */
const caseless = new Set(['mailaliasedname', 'mailquota', 'dc', 'uid', 'cn', 'sn', 'mailsettingvalue']);
/** What names an entry, and what a dump may hide. */
const notCompared = new Set(['userpassword', 'objectclass']);

function digest(name: string, values: readonly string[]): string {
  const text = [...values].map((value) => (caseless.has(name) ? lower(value) : value)).sort();
  return createHash('sha256').update(text.join('\0'), 'latin1').digest('base64').slice(0, 10);
}

/** What a directory holds: for each name a text of attributes and what they say. */
class Existing {
  readonly #entries = new Map<string, string>();

  add(dn: string, attributes: ReadonlyMap<string, readonly string[]>): void {
    const parts = [...attributes].map(([name, values]) => `${lower(name)} ${digest(lower(name), values)};`);
    this.#entries.set(normalDn(dn), parts.join(''));
  }

  /** Attributes in which the directory says something else; nothing when it has no such entry. */
  differences({ dn, attributes }: Entry): readonly string[] | undefined {
    const found = this.#entries.get(normalDn(dn));
    if (found === undefined) return undefined;
    return [...attributes.keys()].filter((name) => {
      const key = lower(name);
      return !notCompared.has(key) && !found.includes(`${key} ${digest(key, attributes.get(name) ?? [])};`);
    });
  }
}

const ascii = (text: string): boolean => /^[\x01-\x7f]*$/.test(text);

function domainEntry(domain: string, origin: Origin, { base }: FormRules): Entry {
  const dn = `dc=${dnValue(domain)},${base}`;
  return { dn, what: domain, origin, classes: ['mailDomain'], attributes: new Map([['dc', [domain]]]) };
}

/** The values of an alias: the directory's answer has commas between values, and doubles those in them. */
function aliasedNames(targets: readonly Target[], lost: (reason: string) => void): string[] {
  const found = new Map<string, string>();
  for (const target of targets) {
    const text = targetText(target);
    if (text.includes(',')) lost(`"${text}" has a comma, and fits in no value of mailAliasedName`);
    else if (!ascii(text)) lost(`"${text}" is no ASCII text`);
    else if (!found.has(lower(text))) found.set(lower(text), text);
  }
  return [...found.values()];
}

function aliasEntry(
  { address, targets, origin }: ImportedAlias,
  { base }: FormRules,
  lost: (reason: string) => void,
): Entry | undefined {
  const at = address.lastIndexOf('@');
  const domain = address.slice(at + 1);
  if (address.slice(0, at) === 'default') {
    lost('mailAlias=default stands for all that have no entry, so no address can be called "default"');
    return undefined;
  }
  const name = address.startsWith('*@') ? 'default' : address.slice(0, at);
  const names = aliasedNames(targets, lost);
  if (!ascii(address) || names.length === 0) {
    lost(ascii(address) ? 'nothing is left of where its mail goes' : 'the address is no ASCII text');
    return undefined;
  }
  return {
    dn: `mailAlias=${dnValue(name)},dc=${dnValue(domain)},${base}`,
    what: address,
    origin,
    classes: ['mailAlias'],
    attributes: new Map([
      ['mailAlias', [name]],
      ['dc', [domain]],
      ['mailAliasedName', names],
    ]),
  };
}

function userEntry(user: ImportedUser, rules: FormRules, teller: Teller): Entry | undefined {
  const { address, origin, receives, mayLogin, quota, quotaMessages, uid, gid, home, password, name } = user;
  const lost = (reason: string): undefined => teller.lost(origin, `${address}: ${reason}`) as undefined;
  if (!receives) return lost('the account is disabled, and gets no entry: mail for it is refused');
  const place = mailboxPlace(user, rules.mailRoot);
  if (place === undefined || !ascii(address) || !ascii(place.absolute)) return lost('no entry can be named so');
  if (quotaMessages !== undefined) lost(`the number of messages (${quotaMessages}) fits in no attribute`);
  tellMove(user, place, teller);
  const at = address.lastIndexOf('@');
  const local = address.slice(0, at);
  const domain = address.slice(at + 1);
  const called = name === undefined || name === '' ? local : name;
  const attributes = new Map([
    ['uid', [local]],
    ['dc', [domain]],
    ['cn', [called]],
    ['sn', [called]],
    ['uidNumber', [String(uid ?? rules.uid)]],
    ['gidNumber', [String(gid ?? rules.gid)]],
    ['homeDirectory', [home !== undefined && ascii(home) ? home : '/nonexistent']],
    ['loginShell', ['/bin/true']],
    ['mailMessageStore', [place.absolute]],
  ]);
  if (quota !== undefined) attributes.set('mailQuota', [formatSize(quota)]);
  if (mayLogin && password !== undefined) attributes.set('userPassword', [password]);
  return {
    dn: `uid=${dnValue(local)},dc=${dnValue(domain)},${rules.base}`,
    what: address,
    origin,
    classes: ['mailUser', 'posixAccount'],
    attributes,
  };
}

interface Counts {
  added: number;
  replaced: number;
  same: number;
  kept: number;
}

class Writer {
  readonly #output: Output;
  readonly #existing: Existing | undefined;
  readonly #rules: FormRules;
  readonly #teller: Teller;
  readonly counts: Counts = { added: 0, replaced: 0, same: 0, kept: 0 };

  constructor(output: Output, existing: Existing | undefined, rules: FormRules, teller: Teller) {
    this.#output = output;
    this.#existing = existing;
    this.#rules = rules;
    this.#teller = teller;
  }

  put(entry: Entry): void {
    const { dn, what, origin, classes, attributes } = entry;
    const differences = this.#existing?.differences(entry);
    if (differences === undefined) {
      const pairs = [...classes.map((name) => ['objectClass', name] as const), ...pairsOf(attributes)];
      this.#output.write(addition(dn, pairs));
      this.counts.added++;
      if (this.#rules.dryRun) this.#rules.say(`+ ${dn}`);
    } else if (differences.length === 0) this.counts.same++;
    else if (this.#rules.replace) {
      const values = new Map(differences.map((name) => [name, attributes.get(name) ?? []] as const));
      this.#output.write(modification(dn, 'replace', values));
      this.counts.replaced++;
      if (this.#rules.dryRun) this.#rules.say(`~ ${dn}: ${differences.join(', ')}`);
    } else {
      this.counts.kept++;
      const says = `the directory says something else (${differences.join(', ')}), and keeps it`;
      this.#teller.lost(origin, `${what}: ${says} (--replace changes it)`);
    }
  }

  /** One value of a setting; each is a change of its own, for those that are there already fail. */
  setting(name: string, value: string): void {
    const dn = `mailSetting=${name},${this.#rules.base}`;
    this.#output.write(modification(dn, 'add', new Map([['mailSettingValue', [value]]])));
    this.counts.added++;
    if (this.#rules.dryRun) this.#rules.say(`+ ${dn}: ${value}`);
  }
}

function* pairsOf(attributes: ReadonlyMap<string, readonly string[]>): Generator<readonly [string, string]> {
  for (const [name, values] of attributes) for (const value of values) yield [name, value];
}

function writeRelays(
  gathered: Gathered,
  writer: Writer,
  known: ReadonlySet<string> | undefined,
  rules: FormRules,
): void {
  let begun = known !== undefined && known.size > 0;
  for (const record of gathered.records()) {
    if (record.kind !== 'domain' || record.use !== 'relay') continue;
    if (known?.has(record.domain)) {
      writer.counts.same++;
      continue;
    }
    if (!begun) {
      writer.put({
        dn: `mailSetting=relay_domains,${rules.base}`,
        what: 'relay_domains',
        origin: record.origin,
        classes: ['mailSetting'],
        attributes: new Map([['mailSetting', ['relay_domains']]]),
      });
      begun = true;
    }
    writer.setting('relay_domains', record.domain);
  }
}

function entryOf(record: Imported, gathered: Gathered, rules: FormRules, teller: Teller): Entry | undefined {
  if (record.kind === 'domain') return undefined;
  const { address, origin } = record;
  if (!gathered.hasDomain(address.slice(address.lastIndexOf('@') + 1))) {
    teller.lost(origin, `${address}: its domain is none of ours`);
    return undefined;
  }
  if (record.kind === 'user') return userEntry(record, rules, teller);
  return aliasEntry(record, rules, (reason) => teller.lost(origin, `${address}: ${reason}`));
}

export const ldifForm: Form = {
  name: 'ldif',
  doc: 'LDIF for a directory with mailDomain, mailUser and mailAlias',
  needsOutput: false,
  async write(gathered, rules, teller) {
    let existing: Existing | undefined;
    let relays: Set<string> | undefined;
    if (rules.existing !== undefined) {
      existing = new Existing();
      relays = new Set();
      const setting = normalDn(`mailSetting=relay_domains,${rules.base}`);
      for (const { dn, attributes } of ldifEntries(rules.existing, teller)) {
        existing.add(dn, attributes);
        if (normalDn(dn) === setting)
          for (const value of attributes.get('mailsettingvalue') ?? []) relays.add(lower(value));
      }
    }
    await withOutput(rules, (output) => {
      const writer = new Writer(output, existing, rules, teller);
      for (const record of gathered.records()) {
        if (record.kind !== 'domain' || record.use !== 'local') continue;
        if (ascii(record.domain)) writer.put(domainEntry(record.domain, record.origin, rules));
        else teller.lost(record.origin, `${record.domain}: the domain is no ASCII text`);
      }
      writeRelays(gathered, writer, relays, rules);
      let count = 0;
      for (const record of gathered.records()) {
        const entry = entryOf(record, gathered, rules, teller);
        if (entry !== undefined) writer.put(entry);
        if (++count % 1000 === 0) rules.progress('written', count);
      }
      const { added, replaced, same, kept } = writer.counts;
      const parts = [`${added} changes`, ...(existing === undefined ? [] : [`${same} there already`])];
      if (replaced > 0) parts.push(`${replaced} of them replace what is there`);
      if (kept > 0) parts.push(`${kept} kept as they were`);
      rules.say(`${rules.output ?? 'LDIF'}: ${parts.join(', ')}${rules.dryRun ? ' (nothing is written)' : ''}`);
    });
  },
};
