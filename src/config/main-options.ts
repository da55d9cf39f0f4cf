/** All main options, joined from the tables by subject (Exim spec 14). `-bP` shows them sorted by name. */

import type { OptionsOf, OptionTable } from '../options/table.ts';
import { allIncomingMessages } from './main-options/all-incoming-messages.ts';
import { bounceAndWarningMessages } from './main-options/bounce-and-warning-messages.ts';
import { calloutCache } from './main-options/callout-cache.ts';
import { daemon } from './main-options/daemon.ts';
import { dataLookups } from './main-options/data-lookups.ts';
import { embeddedPerl } from './main-options/embedded-perl.ts';
import { eximParameters } from './main-options/exim-parameters.ts';
import { frozenMessages } from './main-options/frozen-messages.ts';
import { housekeeping } from './main-options/housekeeping.ts';
import { incomingSmtpMessages } from './main-options/incoming-smtp-messages.ts';
import { localUserHandling } from './main-options/local-user-handling.ts';
import { logging } from './main-options/logging.ts';
import { messageIds } from './main-options/message-ids.ts';
import { miscellaneous } from './main-options/miscellaneous.ts';
import { nonSmtpIncomingMessages } from './main-options/non-smtp-incoming-messages.ts';
import { policyControls } from './main-options/policy-controls.ts';
import { pop3 } from './main-options/pop3.ts';
import { privilegeControls } from './main-options/privilege-controls.ts';
import { processingMessages } from './main-options/processing-messages.ts';
import { resourceControl } from './main-options/resource-control.ts';
import { routingAndDelivery } from './main-options/routing-and-delivery.ts';
import { smtpExtensions } from './main-options/smtp-extensions.ts';
import { systemFilter } from './main-options/system-filter.ts';
import { tls } from './main-options/tls.ts';

export const mainOptions = {
  ...miscellaneous,
  ...eximParameters,
  ...privilegeControls,
  ...logging,
  ...frozenMessages,
  ...dataLookups,
  ...messageIds,
  ...embeddedPerl,
  ...daemon,
  ...resourceControl,
  ...policyControls,
  ...calloutCache,
  ...tls,
  ...localUserHandling,
  ...allIncomingMessages,
  ...nonSmtpIncomingMessages,
  ...incomingSmtpMessages,
  ...smtpExtensions,
  ...processingMessages,
  ...systemFilter,
  ...routingAndDelivery,
  ...bounceAndWarningMessages,
  ...pop3,
  ...housekeeping,
} satisfies OptionTable;

export type MainOptions = OptionsOf<typeof mainOptions>;
