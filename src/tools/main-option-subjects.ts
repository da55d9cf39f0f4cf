/** The main options by subject, as the reference shows them; `config/main-options.ts` has them all in one table. */

import { allIncomingMessages } from '../config/main-options/all-incoming-messages.ts';
import { bounceAndWarningMessages } from '../config/main-options/bounce-and-warning-messages.ts';
import { calloutCache } from '../config/main-options/callout-cache.ts';
import { daemon } from '../config/main-options/daemon.ts';
import { dataLookups } from '../config/main-options/data-lookups.ts';
import { embeddedPerl } from '../config/main-options/embedded-perl.ts';
import { eximParameters } from '../config/main-options/exim-parameters.ts';
import { frozenMessages } from '../config/main-options/frozen-messages.ts';
import { housekeeping } from '../config/main-options/housekeeping.ts';
import { incomingSmtpMessages } from '../config/main-options/incoming-smtp-messages.ts';
import { localUserHandling } from '../config/main-options/local-user-handling.ts';
import { logging } from '../config/main-options/logging.ts';
import { messageIds } from '../config/main-options/message-ids.ts';
import { miscellaneous } from '../config/main-options/miscellaneous.ts';
import { nonSmtpIncomingMessages } from '../config/main-options/non-smtp-incoming-messages.ts';
import { policyControls } from '../config/main-options/policy-controls.ts';
import { pop3 } from '../config/main-options/pop3.ts';
import { privilegeControls } from '../config/main-options/privilege-controls.ts';
import { processingMessages } from '../config/main-options/processing-messages.ts';
import { resourceControl } from '../config/main-options/resource-control.ts';
import { routingAndDelivery } from '../config/main-options/routing-and-delivery.ts';
import { smtpExtensions } from '../config/main-options/smtp-extensions.ts';
import { systemFilter } from '../config/main-options/system-filter.ts';
import { tls } from '../config/main-options/tls.ts';
import type { OptionTable } from '../options/table.ts';

export interface Subject {
  readonly title: string;
  readonly options: OptionTable;
}

export const mainOptionSubjects: readonly Subject[] = [
  { title: 'Miscellaneous', options: miscellaneous },
  { title: 'Who and where the server is', options: eximParameters },
  { title: 'Rights of users', options: privilegeControls },
  { title: 'Logging', options: logging },
  { title: 'Frozen messages', options: frozenMessages },
  { title: 'Lookups', options: dataLookups },
  { title: 'Message-ID: lines', options: messageIds },
  { title: 'Embedded Perl', options: embeddedPerl },
  { title: 'The daemon', options: daemon },
  { title: 'Limits on load and space', options: resourceControl },
  { title: 'What is let in', options: policyControls },
  { title: 'Memory of callouts', options: calloutCache },
  { title: 'TLS', options: tls },
  { title: 'Users of this host', options: localUserHandling },
  { title: 'All incoming messages', options: allIncomingMessages },
  { title: 'Messages from programs on this host', options: nonSmtpIncomingMessages },
  { title: 'Incoming SMTP sessions', options: incomingSmtpMessages },
  { title: 'Extensions of SMTP', options: smtpExtensions },
  { title: 'Changes to incoming messages', options: processingMessages },
  { title: 'The system filter', options: systemFilter },
  { title: 'Queue, routing and delivery', options: routingAndDelivery },
  { title: 'Bounces and warnings', options: bounceAndWarningMessages },
  { title: 'POP3 (options of Tabella alone)', options: pop3 },
  { title: 'Housekeeping (options of Tabella alone)', options: housekeeping },
];
