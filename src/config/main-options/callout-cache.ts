/** Main options of verification by asking other hosts (Exim spec 14.12, 44.46). */

import { template, time } from '../../options/kinds.ts';
import type { OptionTable } from '../../options/table.ts';

export const calloutCache = {
  callout_domain_negative_expire: time(
    'How long it is remembered that the hosts of a domain refuse every callout.',
    10_800,
  ),
  callout_domain_positive_expire: time('How long it is remembered that the hosts of a domain can be asked.', 604_800),
  callout_negative_expire: time('How long the refusal of an address is remembered.', 7200),
  callout_positive_expire: time('How long the acceptance of an address is remembered.', 86_400),
  callout_random_local_part: template(
    'The local part that tests whether a host accepts any address at all.',
    '$primary_hostname-$tod_epoch-testing',
  ),
} satisfies OptionTable;
