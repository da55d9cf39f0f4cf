/** `control`: how the connection or the message is handled from here on (Exim spec 44.22). */

import { trim } from '../../lib/octets.ts';
import type { AclRun, Modifier } from '../acl.ts';

type Control = (parts: readonly string[], run: AclRun) => { readonly error: string } | undefined;

const wrong = (setting: string): { readonly error: string } => ({ error: `syntax error in "control=${setting}"` });

const does = (change: (run: AclRun) => void): Control => {
  return (parts, run) => {
    if (parts.length > 0) return wrong(parts.join('/'));
    change(run);
    return undefined;
  };
};

/** Controls of features that are not there yet, or that this server does not need: accepted, nothing happens. */
const nothing: Control = () => undefined;

const keptText =
  'Your message has been rejected but is being kept for evaluation.\nIf it was a legitimate message, it may still be delivered to the target recipient(s).';

const fake =
  (code: '5' | '4'): Control =>
  (parts, run) => {
    run.controls.fakeReject = { code, text: parts.length > 0 ? parts.join('/') : keptText };
    return undefined;
  };

const submission: Control = (parts, run) => {
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

const controls: ReadonlyMap<string, Control> = new Map([
  ['allow_auth_unadvertised', does(({ controls: c }) => (c.allowUnadvertisedAuth = true))],
  ['caseful_local_part', does(({ controls: c }) => (c.caselessLocalPart = false))],
  ['caselower_local_part', does(({ controls: c }) => (c.caselessLocalPart = true))],
  ['cutthrough_delivery', nothing],
  ['debug', nothing],
  ['dkim_disable_verify', nothing],
  ['dmarc_disable_verify', nothing],
  ['dmarc_enable_forensic', nothing],
  ['dscp', nothing],
  ['enforce_sync', does(({ controls: c }) => (c.enforceSync = true))],
  ['fakedefer', fake('4')],
  ['fakereject', fake('5')],
  [
    'freeze',
    (parts, run) => {
      if (parts.length > 0 && parts[0] !== 'no_tell') return wrong(`freeze/${parts.join('/')}`);
      run.controls.freeze = true;
      return undefined;
    },
  ],
  ['no_callout_flush', nothing],
  ['no_delay_flush', nothing],
  ['no_enforce_sync', does(({ controls: c }) => (c.enforceSync = false))],
  ['no_mbox_unspool', does(({ controls: c }) => (c.keepsScanFiles = true))],
  ['no_multiline_responses', does(({ controls: c }) => (c.noMultilineResponses = true))],
  ['no_pipelining', does(({ controls: c }) => (c.noPipelining = true))],
  ['queue', (_, run) => queueOnly(run)],
  ['queue_only', (_, run) => queueOnly(run)],
  ['submission', submission],
  ['suppress_local_fixups', does(({ controls: c }) => (c.suppressLocalFixups = true))],
  ['utf8_downconvert', nothing],
]);

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
    return controls.get(name)?.(parts, run) ?? (controls.has(name) ? undefined : wrong(value));
  },
};
