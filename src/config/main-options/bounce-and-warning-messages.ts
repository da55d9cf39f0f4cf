/** Main options about messages that report failures and delays (Exim spec 14.22, 50). */

import { fixed, flag, size, template, time, timeList } from '../../options/kinds.ts';
import { alsoCalled, type OptionTable } from '../../options/table.ts';

export const bounceAndWarningMessages = {
  bounce_message_file: template('A file with the texts that bounce messages are made of.'),
  bounce_message_text: fixed('Text that is put into the standard bounce message.'),
  bounce_return_body: flag('Sends the body of the message back with a bounce, not only the header lines.', true),
  bounce_return_linesize_limit: size('A message with longer lines is sent back without its body.', 998),
  bounce_return_message: flag('Sends the message back with a bounce.', true),
  bounce_return_size_limit: alsoCalled(
    size('How much of a message is sent back with a bounce.', 102_400),
    'return_size_limit',
  ),
  bounce_sender_authentication: fixed('The sender that AUTH= gives for bounce messages.'),
  delay_warning: timeList('After what times a sender is warned that a message is still waiting.', [86_400]),
  delay_warning_condition: template(
    'Whether a warning is sent for this message.',
    '${if or {{ !eq{$h_list-id:$h_list-post:$h_list-subscribe:}{} }' +
      '{ match{$h_precedence:}{(?i)bulk|list|junk} }' +
      '{ match{$h_auto-submitted:}{(?i)auto-generated|auto-replied} }} {no}{yes}}',
  ),
  dsn_from: template(
    'The From: line of bounce and warning messages.',
    'Mail Delivery System <Mailer-Daemon@$qualify_domain>',
  ),
  errors_copy: template('Who gets copies of bounce messages, by the address they go to.'),
  errors_reply_to: fixed('The Reply-To: line of bounce and warning messages.'),
  ignore_bounce_errors_after: time(
    'How long a bounce that cannot be delivered is kept before it is dropped.',
    6_048_000,
  ),
  warn_message_file: template('A file with the texts that warning messages are made of.'),
} satisfies OptionTable;
