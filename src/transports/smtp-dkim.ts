/**
 * Signs a message by DKIM before it is sent (Exim spec 58.2): the options are expanded for each domain and selector, the
 * body is read once for its hashes, and the header lines are put in front. A message that cannot be signed goes without,
 * unless `dkim_strict` says that it must wait.
 */

import { constants } from 'node:os';
import type { Context } from '../expand/context.ts';
import type { Template } from '../expand/expand.ts';
import * as clock from '../lib/clock.ts';
import { errorText } from '../lib/errno.ts';
import { splitList } from '../lib/list-text.ts';
import { lower, trim } from '../lib/octets.ts';
import { BodyHashes } from '../origin/body-hashes.ts';
import type { Canonicalization, HashName } from '../origin/canonical-body.ts';
import { type SigningOrder, signatureLine, signingType, standardNames } from '../origin/dkim-sign.ts';
import { Text } from '../safe/taint.ts';
import { readWhole, type SignableMessage } from './signable-message.ts';
import { signingKey } from './signing-key.ts';
import type { Verdict } from './smtp-failure.ts';
import { contextOf, type ReachableHost, type SmtpRun } from './smtp-run.ts';

/** Domains times selectors that one message is signed for at most. */
const mostSignatures = 20;
/** Why a message cannot be signed; it was logged. `detail` is for the log line of the delivery. */
class Unsignable {
  readonly detail: string;
  constructor(detail = '') {
    this.detail = detail;
  }
}

type DkimOption =
  | 'dkim_domain'
  | 'dkim_selector'
  | 'dkim_canon'
  | 'dkim_sign_headers'
  | 'dkim_private_key'
  | 'dkim_hash'
  | 'dkim_identity'
  | 'dkim_timestamps'
  | 'dkim_strict';

const hashes: ReadonlyMap<string, HashName> = new Map([
  ['sha1', 'sha1'],
  ['sha256', 'sha256'],
  ['sha512', 'sha512'],
]);

/** Header lines to be put in front of the message, none when it is not to be signed, or why it must wait. */
export async function signaturesFor(
  run: SmtpRun,
  host: ReachableHost,
  message: SignableMessage,
): Promise<string | Verdict> {
  const work = new Signing(run, contextOf(run, host));
  try {
    return await work.sign(message);
  } catch (error) {
    if (!(error instanceof Unsignable)) throw error;
    if (!(await work.isStrict())) return '';
    run.services.log('DKIM: message could not be signed, and dkim_strict is set. Deferring message delivery.');
    const place = `${host.name} [${host.address}]`;
    const text = error.detail === '' ? place : `smtp send to ${place} failed: ${error.detail}`;
    return { outcome: 'deferred', of: 'message', error: { code: constants.errno.EACCES, message: text } };
  }
}

class Signing {
  readonly #run: SmtpRun;
  readonly #context: Context;

  constructor(run: SmtpRun, context: Context) {
    this.#run = run;
    this.#context = context;
  }

  async sign(message: SignableMessage): Promise<string> {
    const orders: SigningOrder[] = [];
    for (const item of await this.#items('dkim_domain', Text.empty, Text.empty)) {
      const domain = Text.derived(lower(item.value), item);
      for (const selector of await this.#items('dkim_selector', domain, Text.empty)) {
        if (orders.length >= mostSignatures) break;
        const order = await this.#order(domain, selector);
        if (order !== undefined) orders.push(order);
      }
    }
    if (orders.length === 0) return '';
    const bodies = new BodyHashes();
    const rule = ({ form, hash }: SigningOrder) => ({ bodyForm: form, hash, bodyLength: undefined });
    for (const order of orders) bodies.want(rule(order));
    await readWhole(message, (piece) => bodies.take(piece));
    const headers = message.headers();
    let text = '';
    for (const order of orders) {
      try {
        text += signatureLine(order, headers, bodies.digest(rule(order)));
      } catch (error) {
        throw this.#failed(`DKIM: signing failed: ${errorText(error)}`);
      }
    }
    this.#tell(orders);
    return text;
  }

  #tell(orders: readonly SigningOrder[]): void {
    const { decisions } = this.#context;
    if (!decisions.listening) return;
    for (const { domain, selector, key, hash } of orders) {
      decisions.step('transport', `DKIM d=${domain} s=${selector} a=${signingType(key)}-${hash}`, 'signed');
    }
  }

  /** Nothing when the message is not to be signed by this selector. */
  async #order(domain: Text, selector: Text): Promise<SigningOrder | undefined> {
    const { services } = this.#run;
    const option = async (name: DkimOption): Promise<string> =>
      trim((await this.#value(name, domain, selector))?.value ?? '');
    const canon = await option('dkim_canon');
    const form: Canonicalization = canon === 'simple' ? 'simple' : 'relaxed';
    if (!['', 'simple', 'relaxed'].includes(canon)) {
      services.log(`DKIM: unknown canonicalization method '${canon}', defaulting to 'relaxed'.`);
    }
    const names = await option('dkim_sign_headers');
    const keyText = await this.#value('dkim_private_key', domain, selector);
    if (keyText === undefined || ['', '0', 'false'].includes(trim(keyText.value))) return undefined;
    const key = signingKey(keyText, services);
    if (key === undefined) throw new Unsignable();
    const hashName = await option('dkim_hash');
    const hash = hashes.get(hashName);
    if (hash === undefined) throw this.#failed(`DKIM: unrecognised hashname '${hashName}'`);
    const identity = await option('dkim_identity');
    const offset = await option('dkim_timestamps');
    const created = clock.seconds();
    return {
      domain: domain.value,
      selector: selector.value,
      identity,
      key,
      hash,
      form,
      names: splitList(names === '' ? standardNames : names).items.filter((name) => name !== ''),
      times: offset === '' ? undefined : { created, expires: created + Number(/^\d{1,12}/.exec(offset)?.[0] ?? '0') },
    };
  }

  /** The items of an option that is a list. */
  async #items(name: DkimOption, domain: Text, selector: Text): Promise<readonly Text[]> {
    const list = (await this.#value(name, domain, selector)) ?? Text.empty;
    const items = splitList(list.value).items.filter((item) => item !== '');
    return items.map((item) => Text.derived(item, list));
  }

  async #value(name: DkimOption, domain: Text, selector: Text): Promise<Text | undefined> {
    const template: Template | undefined = this.#run.options[name];
    if (template === undefined) return undefined;
    const context = this.#with(domain, selector);
    const expansion = await template.expand(context);
    if (expansion.ok) return expansion.text;
    const detail = `failed to expand ${name}: ${expansion.message}`;
    throw this.#failed(detail, detail);
  }

  #with(domain: Text, selector: Text): Context {
    const { delivery } = this.#context;
    return delivery === undefined
      ? this.#context
      : { ...this.#context, delivery: { ...delivery, dkim: { domain, selector } } };
  }

  /** Whether the message must wait; not when that cannot be told, as in Exim. */
  async isStrict(): Promise<boolean> {
    const expansion = await this.#run.options.dkim_strict?.expand(this.#context);
    return expansion?.ok === true && ['1', 'true'].includes(trim(expansion.text.value));
  }

  #failed(text: string, detail = ''): Unsignable {
    this.#run.services.panic(text);
    return new Unsignable(detail);
  }
}
