/**
 * The objects of qmail-ldap out of an LDIF dump: qmailUser (a mailbox, its other names, where its mail also goes) and
 * qmailGroup (a list). What an attribute means is a row of `modes` and `statuses`; the rest is told.
 */

import { lower, trim } from '../../lib/octets.ts';
import { dequoteLocalPart, splitAddress } from '../../mail/address.ts';
import type { Clean } from '../../safe/taint.ts';
import { type LdifEntry, ldifEntries } from './ldif.ts';
import type { Imported, ImportedUser, ImportSource, Origin, Target, Teller } from './record.ts';
import { keyTarget, readAddress, shellCommand } from './targets.ts';

/** What `deliveryMode` switches off, and what of it nothing here can do. */
const modes: ReadonlyMap<
  string,
  { readonly off?: readonly ('local' | 'forward' | 'program')[]; readonly told?: string }
> = new Map([
  ['normal', {}],
  ['localdelivery', {}],
  ['nolocal', { off: ['local'] }],
  ['nombox', { off: ['local'] }],
  ['noforward', { off: ['forward'] }],
  ['noprogram', { off: ['program'] }],
  ['forwardonly', { off: ['local', 'program'] }],
  ['reply', { told: 'the automatic reply (mailReplyText) is not carried over: it needs an autoreply transport' }],
  ['echo', { told: 'the mode "echo" (send each message back) is not carried over' }],
]);

/** `accountStatus`: mail is taken in, and may be fetched. */
const statuses: ReadonlyMap<string, { readonly receives: boolean; readonly mayLogin: boolean }> = new Map([
  ['active', { receives: true, mayLogin: true }],
  ['noaccess', { receives: true, mayLogin: false }],
  ['nopop', { receives: true, mayLogin: false }],
  ['disabled', { receives: false, mayLogin: false }],
]);

/** Attributes that have a meaning for qmail-ldap, and none here. */
const toldAttributes: ReadonlyMap<string, string> = new Map([
  ['mailsizemax', 'mailSizeMax (the largest message for this user) is not carried over'],
  ['mailhost', 'mailHost is not carried over: all mailboxes are on this server'],
  ['senderconfirm', 'senderConfirm is not carried over: everybody may write to the list'],
  ['membersonly', 'membersOnly is not carried over: everybody may write to the list'],
  ['confirmtext', 'confirmText is not carried over'],
  ['moderatortext', 'moderatorText is not carried over'],
  ['filtermember', 'filterMember is not carried over: list the members by address'],
  ['filtersender', 'filterSender is not carried over: everybody may write to the list'],
  ['dnsender', 'dnSender is not carried over: everybody may write to the list'],
  ['rfc822sender', 'rfc822Sender is not carried over: everybody may write to the list'],
  ['dnmoderator', 'dnModerator is not carried over: the list is not moderated'],
  ['rfc822moderator', 'rfc822Moderator is not carried over: the list is not moderated'],
  ['qmailaccountpurge', 'qmailAccountPurge is not carried over'],
]);

export interface QmailLdapRules {
  /** Where relative message stores lie (control/ldapmessagestore). */
  readonly messageStore: string;
  /** This server's name: users whose mailHost is another one are told. */
  readonly host: string | undefined;
}

/** Quotas: `mailQuotaSize` and `mailQuotaCount`, or the old `mailQuota: 10000000S,1000C`. */
function quotaOf(entry: LdifEntry, lost: (reason: string) => void): { size?: number; messages?: number } {
  const found: { size?: number; messages?: number } = {};
  const number = (name: string, text: string): number | undefined => {
    const value = /^\d{1,15}$/.test(text) ? Number(text) : undefined;
    if (value === undefined) lost(`${name}: "${text}" is no quota`);
    return value === 0 ? undefined : value;
  };
  for (const part of first(entry, 'mailquota')?.split(',') ?? []) {
    const [, digits = '', unit] = /^(\d+)([SC])$/.exec(trim(part)) ?? [];
    const value = number('mailQuota', unit === undefined ? part : digits);
    if (value === undefined) continue;
    if (unit === 'C') found.messages = value;
    else found.size = value;
  }
  const size = first(entry, 'mailquotasize');
  const count = first(entry, 'mailquotacount');
  const octets = size === undefined ? undefined : number('mailQuotaSize', size);
  const messages = count === undefined ? undefined : number('mailQuotaCount', count);
  if (octets !== undefined) found.size = octets;
  if (messages !== undefined) found.messages = messages;
  return found;
}

function first(entry: LdifEntry, name: string): string | undefined {
  return entry.attributes.get(name)?.[0];
}

const all = (entry: LdifEntry, name: string): readonly string[] => entry.attributes.get(name) ?? [];

/** An address that is a key of our tables: `@domain` and `catchall@domain` stand for all of the domain. */
function keyOf(text: string): string | undefined {
  const found = readAddress(text.startsWith('@') ? `catchall${text}` : text, undefined);
  if (!('kind' in found) || found.kind !== 'address') return undefined;
  const { localPart, domain } = splitAddress(lower(found.address));
  return localPart === 'catchall' ? `*@${domain}` : `${dequoteLocalPart(localPart)}@${domain}`;
}

function numberOf(text: string | undefined): number | undefined {
  return text !== undefined && /^\d{1,10}$/.test(text) ? Number(text) : undefined;
}

function targetsOf(entry: LdifEntry, home: string, off: ReadonlySet<string>, lost: (reason: string) => void): Target[] {
  const targets: Target[] = [];
  for (const text of off.has('forward') ? [] : all(entry, 'mailforwardingaddress')) {
    const target = readAddress(text, undefined);
    if ('error' in target) lost(`mailForwardingAddress: ${target.error}`);
    else targets.push(target);
  }
  for (const command of off.has('program') ? [] : all(entry, 'deliveryprogrampath')) {
    targets.push({ kind: 'pipe', command: shellCommand(trim(command), home) });
  }
  return targets;
}

function storeOf(entry: LdifEntry, { messageStore }: QmailLdapRules): string | undefined {
  const store = first(entry, 'mailmessagestore');
  const home = first(entry, 'homedirectory');
  if (store === undefined) return home === undefined ? undefined : `${home.replace(/\/+$/, '')}/Maildir/`;
  const path = store.startsWith('/') ? store : `${messageStore.replace(/\/+$/, '')}/${store}`;
  if (/\/(?:Maildir|Mailbox)\/?$/.test(path)) return path.endsWith('Mailbox') ? path : `${path.replace(/\/+$/, '')}/`;
  // a message store is a directory that holds the Maildir, or is the Maildir when a slash ends it
  return path.endsWith('/') ? path : `${path}/Maildir/`;
}

function* readUser(entry: LdifEntry, file: Clean, rules: QmailLdapRules, teller: Teller): Generator<Imported> {
  const origin: Origin = { file, line: entry.line };
  const lost = (reason: string): void => teller.lost(origin, reason);
  const mail = first(entry, 'mail');
  const address = mail === undefined ? undefined : keyOf(mail);
  if (address === undefined)
    return lost(mail === undefined ? 'a qmailUser without mail' : `mail: "${mail}" is no address`);
  const status = lower(first(entry, 'accountstatus') ?? 'active');
  if (status === 'deleted') return lost(`${address}: the account is deleted (accountStatus)`);
  const may = statuses.get(status);
  if (may === undefined) return lost(`${address}: the accountStatus "${status}" is unknown`);
  const off = new Set<string>();
  for (const word of all(entry, 'deliverymode').flatMap((text) => text.split(','))) {
    const mode = modes.get(lower(trim(word)));
    if (mode === undefined) lost(`${address}: the deliveryMode "${word}" is unknown`);
    for (const each of mode?.off ?? []) off.add(each);
    if (mode?.told !== undefined) lost(`${address}: ${mode.told}`);
  }
  tellAttributes(entry, address, rules, origin, teller);
  const store = storeOf(entry, rules);
  const targets = targetsOf(entry, store?.replace(/\/Maildir\/$/, '') ?? '/', off, (text) =>
    lost(`${address}: ${text}`),
  );
  const quota = quotaOf(entry, (reason) => lost(`${address}: ${reason}`));
  const isDefault = address.startsWith('*@');
  const user: ImportedUser = {
    kind: 'user',
    address,
    mailbox: store,
    home: first(entry, 'homedirectory'),
    uid: numberOf(first(entry, 'qmailuid') ?? first(entry, 'uidnumber')),
    gid: numberOf(first(entry, 'qmailgid') ?? first(entry, 'gidnumber')),
    quota: quota.size,
    quotaMessages: quota.messages,
    password: first(entry, 'userpassword'),
    name: first(entry, 'cn'),
    ...may,
    origin,
  };
  const hasMailbox = !off.has('local');
  if (hasMailbox && isDefault)
    return lost(`${address}: a mailbox for all addresses of a domain must have an address, too`);
  if (hasMailbox || !isDefault) yield user;
  const others: Target[] = hasMailbox && targets.length > 0 ? [keyTarget(address), ...targets] : targets;
  if (others.length > 0 && may.receives) yield { kind: 'alias', address, targets: others, origin };
  else if (!hasMailbox && may.receives) lost(`${address}: neither a mailbox nor an address to forward to`);
  for (const text of all(entry, 'mailalternateaddress')) {
    const other = keyOf(text);
    if (other === undefined) lost(`${address}: mailAlternateAddress "${text}" is no address`);
    else if (other !== address) yield { kind: 'alias', address: other, targets: [keyTarget(address)], origin };
  }
}

function tellAttributes(
  entry: LdifEntry,
  address: string,
  { host }: QmailLdapRules,
  origin: Origin,
  teller: Teller,
): void {
  for (const [name, reason] of toldAttributes) {
    const value = first(entry, name);
    if (value === undefined || (name === 'mailhost' && lower(value) === host)) continue;
    teller.lost(origin, `${address}: ${reason}`);
  }
  const dots = lower(first(entry, 'qmaildotmode') ?? 'ldaponly');
  if (dots !== 'ldaponly' && dots !== 'none') {
    teller.remark(origin, `${address}: qmailDotMode is ${dots}: what a .qmail file of his says is not looked at`);
  }
}

function* readGroup(
  entry: LdifEntry,
  file: Clean,
  byDn: ReadonlyMap<string, string>,
  teller: Teller,
  rules: QmailLdapRules,
): Generator<Imported> {
  const origin: Origin = { file, line: entry.line };
  const mail = first(entry, 'mail');
  const address = mail === undefined ? undefined : keyOf(mail);
  if (address === undefined) return teller.lost(origin, 'a qmailGroup without an address');
  tellAttributes(entry, address, rules, origin, teller);
  const targets: Target[] = [];
  for (const text of [...all(entry, 'rfc822member'), ...all(entry, 'mailforwardingaddress')]) {
    const target = readAddress(text, undefined);
    if ('error' in target) teller.lost(origin, `${address}: ${target.error}`);
    else targets.push(target);
  }
  for (const dn of all(entry, 'dnmember')) {
    const member = byDn.get(normalDn(dn));
    if (member === undefined) teller.lost(origin, `${address}: the member ${dn} has no address in this file`);
    else targets.push(keyTarget(member));
  }
  if (targets.length === 0) return teller.lost(origin, `${address}: a list without members`);
  yield { kind: 'alias', address, targets, origin };
  for (const text of all(entry, 'mailalternateaddress')) {
    const other = keyOf(text);
    if (other === undefined) teller.lost(origin, `${address}: mailAlternateAddress "${text}" is no address`);
    else yield { kind: 'alias', address: other, targets: [keyTarget(address)], origin };
  }
}

const normalDn = (dn: string): string => lower(dn.replace(/[ \t]*([,=])[ \t]*/g, '$1'));

function classesOf(entry: LdifEntry): ReadonlySet<string> {
  return new Set(all(entry, 'objectclass').map(lower));
}

const silent: Teller = { lost: () => undefined, remark: () => undefined };

/** The addresses of those who are members of groups by their DN; the file is gone through once for the groups, once for them. */
function membersByDn(file: Clean): ReadonlyMap<string, string> {
  const wanted = new Map<string, string>();
  for (const entry of ldifEntries(file, silent)) {
    if (classesOf(entry).has('qmailgroup')) for (const dn of all(entry, 'dnmember')) wanted.set(normalDn(dn), '');
  }
  if (wanted.size === 0) return wanted;
  for (const entry of ldifEntries(file, silent)) {
    const mail = first(entry, 'mail');
    const address = mail === undefined ? undefined : keyOf(mail);
    const dn = normalDn(entry.dn);
    if (address !== undefined && wanted.has(dn)) wanted.set(dn, address);
  }
  for (const [dn, address] of wanted) if (address === '') wanted.delete(dn);
  return wanted;
}

/** The users and groups of a dump. Domains are those of their addresses. */
export function qmailLdap(file: Clean, rules: QmailLdapRules): ImportSource {
  return function* (teller): Generator<Imported> {
    const byDn = membersByDn(file);
    const domains = new Set<string>();
    for (const entry of ldifEntries(file, teller)) {
      const classes = classesOf(entry);
      const read = classes.has('qmailgroup')
        ? readGroup(entry, file, byDn, teller, rules)
        : classes.has('qmailuser')
          ? readUser(entry, file, rules, teller)
          : undefined;
      for (const record of read ?? []) {
        const domain = record.kind === 'domain' ? undefined : record.address.slice(record.address.lastIndexOf('@') + 1);
        if (domain !== undefined && !domains.has(domain)) {
          domains.add(domain);
          yield { kind: 'domain', domain, use: 'local', origin: record.origin };
        }
        yield record;
      }
    }
  };
}
