/** `control`: how the connection or the message is handled from here on (Exim spec 44.22). */

import { lower, trim } from '../../lib/octets.ts';
import { dequoteLocalPart } from '../../mail/address.ts';
import type { AclRun, Modifier, Phase } from '../acl.ts';
import { namedPhase, withoutAddress, withoutDecision, withoutRecipient } from '../phases.ts';

type Action = (parts: readonly string[], run: AclRun) => { readonly error: string } | undefined;

interface Control {
  /** ACLs in which it cannot be used. */
  readonly forbidden: readonly Phase[];
  /** Whether options may stand behind it. */
  readonly options: boolean;
  readonly act: Action;
}

const wrong = (setting: string): { readonly error: string } => ({ error: `syntax error in "control=${setting}"` });

const does = (change: (run: AclRun) => void, forbidden: readonly Phase[] = []): Control => ({
  forbidden,
  options: false,
  act(_, run) {
    change(run);
    return undefined;
  },
});

/** Controls of features that are not there yet, or that this server does not need: accepted, nothing happens. */
const nothing = (forbidden: readonly Phase[] = [], options = false): Control => ({
  forbidden,
  options,
  act: () => undefined,
});

const withOptions = (forbidden: readonly Phase[], act: Action): Control => ({ forbidden, options: true, act });

/** Only before the greeting is answered. */
const afterGreeting: readonly Phase[] = [
  'AUTH',
  'MAILAUTH',
  'STARTTLS',
  'ETRN',
  'EXPN',
  'VRFY',
  'MAIL',
  'RCPT',
  'PREDATA',
  'DKIM',
  'MIME',
  'DATA',
  'QUIT',
  'notquit',
  'non-SMTP-start',
  'non-SMTP',
];
/** Before the header lines are completed. */
const aroundHeaders: readonly Phase[] = [...withoutDecision, 'MIME', 'DATA', 'non-SMTP'];

/** Before a message, and where none comes by SMTP. */
const exceptSmtpMessages: readonly Phase[] = [...withoutDecision, 'non-SMTP'];
/** A message that a program hands in has no session. */
const sessionless: readonly Phase[] = ['non-SMTP'];

const keptText =
  'Your message has been rejected but is being kept for evaluation.\nIf it was a legitimate message, it may still be delivered to the target recipient(s).';

const fake = (code: '5' | '4'): Control =>
  withOptions(exceptSmtpMessages, (parts, run) => {
    run.controls.fakeReject = { code, text: parts.length > 0 ? parts.join('/') : keptText };
    return undefined;
  });

const submission: Action = (parts, run) => {
  let domain: string | undefined;
  let name = '';
  let sender = '';
  for (const part of parts) {
    const [option = '', ...rest] = part.split('=');
    const value = rest.join('=');
    if (option === 'sender_retain') sender = 'retain';
    else if (option === 'domain') domain = value;
    else if (option === 'name') name = value;
    else return wrong(`submission/${parts.join('/')}`);
  }
  run.controls.submission = { domain, name, sender };
  return undefined;
};

function downconvert(parts: readonly string[]): { readonly error: string } | undefined {
  const [value, ...more] = parts;
  const known = value === undefined || value === '' || ['1', '0', '-1'].includes(value);
  return known && more.length === 0 ? undefined : { error: 'bad option value for control=utf8_downconvert' };
}

/** It counts with the first recipient only, and where the message does not need an answer for each of them. */
const cutthrough: Action = ([option], { phase, context, controls: c }) => {
  const { message } = context;
  if (phase === 'RCPT' && message?.rcptCount === 1) c.cutthrough = { passesDefers: option === 'defer=pass' };
  return undefined;
};

const controls: ReadonlyMap<string, Control> = new Map([
  ['allow_auth_unadvertised', does(({ controls: c }) => (c.allowUnadvertisedAuth = true), afterGreeting)],
  ['caseful_local_part', does((run) => showCase(run, false), withoutRecipient)],
  ['caselower_local_part', does((run) => showCase(run, true), withoutRecipient)],
  ['cutthrough_delivery', withOptions([], cutthrough)],
  ['debug', nothing([], true)],
  ['dkim_disable_verify', does(({ controls: c }) => (c.checksDkim = false), ['DATA', ...sessionless])],
  ['dmarc_disable_verify', does(({ controls: c }) => (c.checksDmarc = false), ['DATA', 'DKIM'])],
  ['dmarc_enable_forensic', does(({ controls: c }) => (c.reportsDmarc = true), ['DATA', 'DKIM'])],
  ['dscp', withOptions([...sessionless, 'notquit'], (parts) => (parts.length === 0 ? wrong('dscp') : undefined))],
  ['enforce_sync', does(({ controls: c }) => (c.enforceSync = true), sessionless)],
  ['fakedefer', fake('4')],
  ['fakereject', fake('5')],
  [
    'freeze',
    withOptions(withoutDecision, (parts, run) => {
      if (parts.length > 0 && parts[0] !== 'no_tell') return wrong(`freeze/${parts.join('/')}`);
      run.controls.freeze = true;
      return undefined;
    }),
  ],
  ['no_callout_flush', does(({ controls: c }) => (c.noCalloutFlush = true), sessionless)],
  ['no_delay_flush', nothing(sessionless)],
  ['no_enforce_sync', does(({ controls: c }) => (c.enforceSync = false), sessionless)],
  ['no_mbox_unspool', does(({ controls: c }) => (c.keepsScanFiles = true), exceptSmtpMessages)],
  ['no_multiline_responses', does(({ controls: c }) => (c.noMultilineResponses = true), sessionless)],
  ['no_pipelining', does(({ controls: c }) => (c.noPipelining = true), sessionless)],
  ['queue', withOptions(withoutDecision, (_, run) => queueOnly(run))],
  ['queue_only', withOptions(withoutDecision, (_, run) => queueOnly(run))],
  ['submission', withOptions(aroundHeaders, submission)],
  ['suppress_local_fixups', does(({ controls: c }) => (c.suppressLocalFixups = true), aroundHeaders)],
  ['utf8_downconvert', withOptions(withoutAddress, downconvert)],
]);

/** The local part as it was given, or in lower case, for what follows. */
function showCase({ controls, context, recipient }: AclRun, caseless: boolean): void {
  controls.caselessLocalPart = caseless;
  const localPart = dequoteLocalPart(recipient?.localPart ?? '');
  if (context.address) context.address.localPart = caseless ? lower(localPart) : localPart;
}

function queueOnly(run: AclRun): undefined {
  run.controls.queueOnly = true;
  return undefined;
}

export const control: Modifier = {
  kind: 'modifier',
  name: 'control',
  doc: 'How the connection or the message is handled from here on.',
  forbidden: [],
  apply({ value }, run) {
    const [name = '', ...parts] = trim(value).split('/');
    const found = controls.get(name);
    if (found === undefined || (parts.length > 0 && !found.options)) return wrong(value);
    if (found.forbidden.includes(run.phase)) {
      // queue_only is an older name
      const shown = name === 'queue_only' ? 'queue' : name;
      return { error: `cannot use "control=${shown}" in ${namedPhase(run.phase)} ACL` };
    }
    return found.act(parts, run);
  },
};
