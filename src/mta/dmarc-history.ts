/** Entries of `dmarc_history_file`, as `opendmarc-import` reads them. */

import type { Context } from '../expand/context.ts';
import * as clock from '../lib/clock.ts';
import { splitAddress } from '../mail/address.ts';
import { type DkimStatus, wordingOf } from '../origin/dkim-verdict.ts';
import type { DmarcAnswer, DmarcPolicy, DmarcStatus } from '../origin/dmarc.ts';
import type { SpfResult } from '../origin/spf.ts';

/** Results of single checks (RFC 8601), by the numbers of OpenDMARC. */
const spfNumbers: Readonly<Record<SpfResult, number>> = {
  pass: 0,
  softfail: 2,
  neutral: 3,
  temperror: 4,
  permerror: 5,
  '(invalid)': 5,
  none: 6,
  fail: 7,
};
const dkimNumbers: Readonly<Record<DkimStatus, number>> = { pass: 0, invalid: 3, none: 6, fail: 7 };
/** What the policy came to. */
const policyNumbers: Readonly<Record<DmarcStatus, number>> = {
  norecord: 14,
  nofrom: 14,
  temperror: 14,
  off: 14,
  accept: 15,
  reject: 16,
  quarantine: 17,
  none: 18,
};
/** What is done with the message, as far as DMARC is asked. */
const actionNumbers: Readonly<Partial<Record<DmarcStatus, number>>> = { reject: 0, temperror: 3, quarantine: 4 };
const accepted = 2;

/** A word is written as the number of its first letter. */
const letter = (word: DmarcPolicy | 'r' | 's' | undefined): number => word?.charCodeAt(0) ?? 0;
const aligned = (isAligned: boolean): number => (isAligned ? 4 : 5);

export function historyEntry(answer: DmarcAnswer, { message, connection, settings }: Context): string {
  const { record, status } = answer;
  const rows: readonly (readonly [string, string | number])[] = [
    ['job', message?.id ?? ''],
    ['reporter', settings.primaryHostname],
    ['received', clock.seconds()],
    ['ipaddr', connection?.hostAddress ?? ''],
    ['from', answer.from],
    ['mfrom', splitAddress(message?.sender ?? '').domain],
    ...(message?.dkim?.verdicts ?? []).map((verdict) => {
      const { domain, selector } = verdict.signature;
      return ['dkim', `${domain} ${selector} ${dkimNumbers[wordingOf(verdict).status]}`] as const;
    }),
    ['spf', message?.spf === undefined ? -1 : spfNumbers[message.spf.result]],
    ['pdomain', answer.usedDomain],
    ['policy', policyNumbers[status]],
    ['rua', record?.aggregate || '-'],
    ['pct', record?.percent ?? 0],
    ['adkim', letter(record === undefined ? undefined : record.strictDkim ? 's' : 'r')],
    ['aspf', letter(record === undefined ? undefined : record.strictSpf ? 's' : 'r')],
    ['p', letter(record?.policy)],
    ['sp', letter(record?.subdomainPolicy)],
    ['align_dkim', aligned(answer.alignedDkim)],
    ['align_spf', aligned(answer.alignedSpf)],
    ['action', actionNumbers[status] ?? accepted],
  ];
  // whatever a stranger wrote stays on its line
  return rows.map(([name, value]) => `${name} ${String(value).replace(/[\0-\x1f\x7f]/g, '?')}\n`).join('');
}
