/** The list of public suffixes (publicsuffix.org), which tells organizations from registries (Exim spec 58.6, dmarc_tld_file). */

import { lower } from '../lib/octets.ts';
import { encodePunycode } from '../lib/punycode.ts';

/** A domain in lower case, without a dot at its end, its labels in ASCII. */
export function asciiDomain(domain: string): string {
  const plain = lower(domain).replace(/\.$/, '');
  if (!/[\x80-\xff]/.test(plain)) return plain;
  const text = Buffer.from(plain, 'latin1').toString('utf8').normalize('NFC');
  const labels = text.split('.').map((label) => (/[^\0-\x7f]/.test(label) ? `xn--${encodePunycode(label)}` : label));
  return labels.join('.');
}

export class PublicSuffixes {
  readonly #rules = new Set<string>();

  constructor(text: string) {
    for (const line of text.split('\n')) {
      const [rule = ''] = line.split(/[ \t\r]/, 1);
      if (rule === '' || rule.startsWith('//')) continue;
      const mark = rule.startsWith('!') ? '!' : '';
      this.#rules.add(mark + asciiDomain(rule.slice(mark.length)));
    }
  }

  /** The domain that an organization has registered: one label more than the longest suffix; the domain itself when it is a suffix. */
  organization(domain: string): string {
    const labels = asciiDomain(domain).split('.');
    for (let i = 0; i < labels.length; i++) {
      const rest = labels.slice(i).join('.');
      // an exception is no suffix, though a rule with an asterisk says so
      if (this.#rules.has(`!${rest}`)) return rest;
      const isSuffix = this.#rules.has(rest) || this.#rules.has(`*.${labels.slice(i + 1).join('.')}`);
      if (isSuffix) return labels.slice(Math.max(i - 1, 0)).join('.');
    }
    // a name of which the list does not know the last label
    return labels.slice(-2).join('.');
  }
}
