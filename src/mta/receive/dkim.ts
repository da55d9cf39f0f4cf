/**
 * The DKIM signatures of a message that comes by SMTP (Exim spec 58.3): they are checked while its body is read, and the
 * ACL `acl_smtp_dkim` is run for those of `dkim_verify_signers`.
 */

import type { AclResult } from '../../acl/acl.ts';
import type { Config } from '../../config/config.ts';
import type { DkimFacts } from '../../expand/content-facts.ts';
import { splitList } from '../../lib/list-text.ts';
import { lower } from '../../lib/octets.ts';
import { ArcVerification } from '../../origin/arc-verify.ts';
import { BodyHashes } from '../../origin/body-hashes.ts';
import { isSignature } from '../../origin/dkim-signature.ts';
import { type DkimVerdict, signatureForLog, wordingOf } from '../../origin/dkim-verdict.ts';
import { type DkimRules, DkimVerification } from '../../origin/dkim-verify.ts';
import { type Reception, shownInLog } from './reception.ts';

/** What is to be proved about a message, from its header lines and its body. */
export interface Proofs {
  readonly dkim: DkimVerification | undefined;
  readonly arc: ArcVerification;
  /** Is handed the body. */
  readonly bodies: BodyHashes;
}

/** For a message whose header lines are there; nothing when nobody wants to know. */
export function proofsFor(headers: readonly string[], reception: Reception): Proofs | undefined {
  if (reception.client.isBatch) return undefined;
  const bodies = new BodyHashes();
  const rules = rulesOf(reception.runtime.config.main);
  const isWanted = reception.acls.requests.controls.checksDkim && headers.some(isSignature);
  const dkim = isWanted ? new DkimVerification(headers, rules, bodies) : undefined;
  return { dkim, arc: new ArcVerification(headers, rules.shortestKeys, bodies), bodies };
}

const rulesOfConfigurations = new WeakMap<Config['main'], DkimRules>();

function rulesOf(main: Config['main']): DkimRules {
  const known = rulesOfConfigurations.get(main);
  if (known !== undefined) return known;
  const sizes = new Map(
    main.dkim_verify_min_keysizes.source.split(/[ \t]+/).map((part) => part.split('=', 2)) as [string, string][],
  );
  const shortest = (type: string): number => Number(/^\d{1,9}/.exec(sizes.get(type) ?? '')?.[0] ?? '0');
  const rules = {
    hashes: new Set(main.dkim_verify_hashes.items),
    keyTypes: new Set(main.dkim_verify_keytypes.items),
    shortestKeys: { rsa: shortest('rsa'), ed25519: shortest('ed25519') },
    minimal: main.dkim_verify_minimal,
  };
  rulesOfConfigurations.set(main, rules);
  return rules;
}

/** Checks what is left to check and runs the ACL. The first answer that is no consent is the last. */
export async function judgeSignatures(
  verification: DkimVerification | undefined,
  reception: Reception,
): Promise<AclResult | undefined> {
  const { runtime, context, acls, client } = reception;
  const { message } = context;
  if (message === undefined || client.isBatch || !acls.requests.controls.checksDkim) return undefined;
  const log = (text: string): void => runtime.logs.main(shownInLog(`DKIM: ${text}`), message.id);
  const verdicts = (await verification?.verdicts(runtime.resolver, log)) ?? [];
  const facts = factsOf(verdicts);
  message.dkim = facts;
  if (context.decisions.listening) {
    for (const verdict of verdicts) {
      context.decisions.step('acl', `DKIM ${signatureForLog(verdict)}`, wordingOf(verdict).log);
    }
  }
  const option = runtime.config.main.acl_smtp_dkim;
  const signers = option === undefined ? [] : await signersOf(reception);
  if (signers === undefined) return undefined;
  if (signers.length === 0) {
    for (const verdict of verdicts) conclude(verdict, facts, reception, log);
    return undefined;
  }
  const states: string[] = [];
  for (const signer of signers) {
    const theirs = verdicts.filter(({ signature }) => isBy(signature, signer));
    for (const verdict of theirs.length > 0 ? theirs : [undefined]) {
      if (!acls.requests.controls.checksDkim) continue;
      show(verdict, signer, facts);
      const result = await acls.run('DKIM', option);
      if (verdict !== undefined) conclude(verdict, facts, reception, log);
      states.push(facts.status);
      if (result !== undefined && result.outcome !== 'accept') return result;
    }
  }
  facts.status = states.join(':');
  return undefined;
}

function factsOf(verdicts: readonly DkimVerdict[]): DkimFacts {
  const signers = verdicts.flatMap(({ signature: { domain, identity } }) =>
    [domain, identity].filter((name) => name !== '' && domain !== ''),
  );
  return {
    verdicts,
    signers: signers.join(':'),
    signer: '',
    verdict: undefined,
    seen: undefined,
    status: '',
    reason: '',
    isOverruled: false,
    verified: '',
  };
}

/** The items of dkim_verify_signers, each once; nothing when they cannot be had. */
async function signersOf({ runtime, context }: Reception): Promise<readonly string[] | undefined> {
  const expansion = await runtime.config.main.dkim_verify_signers?.template.expand(context);
  if (expansion === undefined) return [];
  if (expansion.ok) return [...new Set(splitList(expansion.text.value).items.filter((item) => item !== ''))];
  const line = `expansion of dkim_verify_signers option failed: ${expansion.message}`;
  runtime.logs.write(['main', 'panic'], line, context.message?.id);
  return undefined;
}

/** An identity has an at sign, a domain has none. */
function isBy({ domain, identity }: DkimVerdict['signature'], signer: string): boolean {
  return lower(signer.includes('@') ? identity : domain) === lower(signer);
}

/** What the ACL sees. */
function show(verdict: DkimVerdict | undefined, signer: string, facts: DkimFacts): void {
  const { status, reason } = verdict === undefined ? { status: 'none', reason: '' } : wordingOf(verdict);
  facts.signer = signer;
  facts.verdict = verdict;
  facts.seen = verdict ?? facts.seen;
  facts.status = status;
  facts.reason = reason;
}

/** Notes what a signature has come to in the end: as it was found, or as the ACL wants it. */
function conclude(verdict: DkimVerdict, facts: DkimFacts, reception: Reception, log: (text: string) => void): void {
  const { signature } = verdict;
  const { log: found, status } = wordingOf(verdict);
  if ((facts.isOverruled ? facts.status : status) === 'pass') facts.verified = signature.domain;
  if (!reception.selects('dkim_verbose') || signature.domain === '') return;
  const said = facts.isOverruled ? `${facts.status} - ${facts.reason}` : found;
  log(`${signatureForLog(verdict)} [${said}]`);
}
