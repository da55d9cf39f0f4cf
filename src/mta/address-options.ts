/** How addresses are read, as far as the configuration decides it (Exim spec 14). */

import type { Config } from '../config/config.ts';
import type { AddressOptions } from '../mail/address.ts';

export function addressOptions({ main }: Config): AddressOptions {
  return {
    utf8Domain: main.allow_utf8_domains,
    allowDomainLiterals: main.allow_domain_literals,
    stripTrailingDot: main.strip_trailing_dot,
    stripExcessBrackets: main.strip_excess_angle_brackets,
  };
}
