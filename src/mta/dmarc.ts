/**
 * The DMARC check of a message that comes in (Exim spec 58.6): what of it is known from SPF, DKIM and the header lines is
 * put together, and the result is noted in `dmarc_history_file`.
 */

import type { DkimFacts } from '../expand/content-facts.ts';
import type { Context } from '../expand/context.ts';
import { errorText } from '../lib/errno.ts';
import { splitAddress } from '../mail/address.ts';
import { headerAddresses } from '../mail/address-header.ts';
import { wordingOf } from '../origin/dkim-verdict.ts';
import { checkDmarc, type DmarcAnswer, dmarcOff } from '../origin/dmarc.ts';
import { PublicSuffixes } from '../origin/public-suffixes.ts';
import * as files from '../safe/files.ts';
import type { Clean } from '../safe/taint.ts';
import { addressOptions } from './address-options.ts';
import { reportFailure } from './dmarc-forensic.ts';
import { historyEntry } from './dmarc-history.ts';
import type { Runtime } from './runtime.ts';

/** Octets of the list of suffixes. */
const longestList = 8 * 1024 * 1024;

/** The list that was read last, and what tells that its file is still the same. */
let known: { readonly stamp: string; readonly suffixes: PublicSuffixes } | undefined;

/** @throws Error when the file cannot be read */
function suffixesIn(path: Clean): PublicSuffixes {
  const { ino = 0, size = 0, mtimeMs = 0 } = files.stat(path) ?? {};
  const stamp = `${path} ${ino} ${size} ${mtimeMs}`;
  if (known?.stamp !== stamp) known = { stamp, suffixes: new PublicSuffixes(files.readText(path, longestList)) };
  return known.suffixes;
}

/** The one domain in From: lines; nothing when there is none, or when there are several. */
function authorDomain({ message }: Context, runtime: Runtime): string | undefined {
  const options = addressOptions(runtime.config);
  const lines = (message?.headers ?? []).filter(({ type, text }) => type === 'F' && !/^resent-/i.test(text));
  const domains = lines.flatMap(({ text }) =>
    headerAddresses(text, options).map(({ address }) => splitAddress(address).domain),
  );
  const [domain, ...others] = new Set(domains);
  return lines.length === 1 && others.length === 0 && domain !== '' ? domain : undefined;
}

/** Domains whose signatures are right, or that an ACL takes for right. */
function provenDomains(facts: DkimFacts | undefined): readonly string[] {
  if (facts === undefined) return [];
  if (facts.isOverruled) return facts.verified === '' ? [] : [facts.verified];
  return facts.verdicts.filter((each) => wordingOf(each).status === 'pass').map(({ signature }) => signature.domain);
}

/** What is to be done for one message. */
export interface DmarcWishes {
  /** Unless an ACL wants nothing of it. */
  readonly check: boolean;
  /** The result goes into the history: not so in a test. */
  readonly note: boolean;
  /** A failure is reported to the domain, when its record asks for that. */
  readonly report: boolean;
}

/** Messages of our own users are not checked, nor any without a list of suffixes. */
export async function examineDmarc(context: Context, runtime: Runtime, wishes: DmarcWishes): Promise<DmarcAnswer> {
  const { message, connection } = context;
  const { dmarc_tld_file: list, dmarc_history_file: history } = runtime.config.main;
  const isStranger = (connection?.hostAddress ?? '') !== '' && connection?.authenticator === '';
  if (message === undefined || list === undefined || !wishes.check || !isStranger) return dmarcOff;
  let suffixes: PublicSuffixes;
  try {
    suffixes = suffixesIn(list);
  } catch (error) {
    runtime.logs.panic(`DMARC failure reading dmarc_tld_file ${list}: ${errorText(error)}`, message.id);
    return dmarcOff;
  }
  const answer = await checkDmarc(
    {
      from: authorDomain(context, runtime),
      spf: message.spf?.result === 'pass' && !message.spf.isGuessed ? message.spf.domain : undefined,
      dkim: provenDomains(message.dkim),
    },
    suffixes,
    runtime.resolver,
  );
  if (wishes.report) await reportFailure(answer, context, suffixes, runtime);
  if (history !== undefined && wishes.note) note(history, historyEntry(answer, context), runtime, message.id);
  return answer;
}

function note(path: Clean, entry: string, { logs }: Runtime, id: string): void {
  try {
    const file = files.open(path, files.createOrAppend, 0o640);
    try {
      files.write(file, entry);
    } finally {
      files.close(file);
    }
  } catch (error) {
    logs.panic(`DMARC failure writing dmarc_history_file ${path}: ${errorText(error)}`, id);
  }
}
