/** What the hints know about the question of a callout, and what they learn from its answers (Exim spec 44.48). */

import type { CalloutOptions } from '../acl/verifier.ts';
import { lower } from '../lib/octets.ts';
import { splitAddress } from '../mail/address.ts';
import type { Findings } from './callout-talk.ts';
import { type CalloutResult, remembered, type Subject } from './callout-texts.ts';
import type { Runtime } from './runtime.ts';

export class CalloutCache {
  readonly #runtime: Runtime;
  readonly #key: string;
  readonly #domain: string;
  readonly #sender: string;
  readonly #options: CalloutOptions;
  readonly #subject: Subject;
  asksRandom: boolean;
  asksPostmaster: boolean;

  constructor(runtime: Runtime, address: string, sender: string, options: CalloutOptions, subject: Subject) {
    this.#runtime = runtime;
    this.#key = sender === '' ? address : `${address}/<${sender}>`;
    this.#domain = lower(splitAddress(address).domain);
    this.#sender = sender;
    this.#options = options;
    this.#subject = subject;
    this.asksRandom = options.random;
    this.asksPostmaster = options.postmasterSender !== undefined;
  }

  get #expiry() {
    const { main } = this.#runtime.config;
    return {
      domain: { positive: main.callout_domain_positive_expire, negative: main.callout_domain_negative_expire },
      address: { positive: main.callout_positive_expire, negative: main.callout_negative_expire },
    };
  }

  /** The result, when it is known; else what need not be asked any more is taken off. */
  look(): CalloutResult | undefined {
    if (this.#options.noCache) return undefined;
    const { callouts } = this.#runtime;
    const { domain: domainExpiry, address: addressExpiry } = this.#expiry;
    const domain = callouts.domain(this.#domain, domainExpiry);
    if (this.#sender === '' && domain.get('takes bounces') === false) return remembered('mail', this.#subject);
    if (this.asksRandom) {
      const takesAnything = domain.get('takes anything');
      if (takesAnything === true) return { outcome: 'ok', by: 'random' };
      if (takesAnything === false) this.asksRandom = false;
    }
    if (this.asksPostmaster) {
      const hasPostmaster = domain.get('has a postmaster');
      if (hasPostmaster === false) return remembered('postmaster', this.#subject);
      if (hasPostmaster === true) this.asksPostmaster = false;
    }
    const good = callouts.address(this.#key, addressExpiry);
    if (good === false) return remembered('recipient', this.#subject);
    return good === true && !this.asksRandom && !this.asksPostmaster ? { outcome: 'ok', by: 'address' } : undefined;
  }

  note({ address, domain }: Findings): void {
    if (this.#options.noCache) return;
    const { callouts } = this.#runtime;
    const { domain: domainExpiry, address: addressExpiry } = this.#expiry;
    callouts.noteDomain(this.#domain, domain, domainExpiry);
    if (address !== undefined) callouts.noteAddress(this.#key, address, addressExpiry);
  }
}
