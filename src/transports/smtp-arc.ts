/** Adds an ARC set to a message that is passed on (`arc_sign`; Exim's experimental ARC). Trouble is logged; the message goes without. */

import type { Context } from '../expand/context.ts';
import * as clock from '../lib/clock.ts';
import { errorText } from '../lib/errno.ts';
import { splitList } from '../lib/list-text.ts';
import { type ArcOrder, arcLines } from '../origin/arc-sign.ts';
import { BodyHashes } from '../origin/body-hashes.ts';
import { Text } from '../safe/taint.ts';
import { readWhole, type SignableMessage } from './signable-message.ts';
import { signingKey } from './signing-key.ts';
import { contextOf, type ReachableHost, type SmtpRun } from './smtp-run.ts';

/** Seconds that a signature is good for when `expire` gives none. */
const month = 30 * 24 * 60 * 60;

const bodyRule = { bodyForm: 'relaxed', hash: 'sha256', bodyLength: undefined } as const;

/** The lines of the set, with `front` in front of the message already; none when it is not to be signed. */
export async function arcSetFor(
  run: SmtpRun,
  host: ReachableHost,
  message: SignableMessage,
  front: string,
): Promise<string> {
  const context = contextOf(run, host);
  const order = await orderFor(run, context);
  if (order === undefined) return '';
  const bodies = new BodyHashes();
  bodies.want(bodyRule);
  await readWhole(message, (piece) => bodies.take(piece));
  const headers = [...(front.match(/[^\n]*\n(?:[ \t][^\n]*\n)*/g) ?? []), ...message.headers()];
  try {
    const made = arcLines(order, headers, bodies.digest(bodyRule));
    const { listening } = context.decisions;
    if (listening)
      context.decisions.step('transport', `ARC d=${order.domain}`, 'lines' in made ? 'signed' : made.problem);
    if ('lines' in made) return made.lines;
    run.services.log(`ARC: not signed: ${made.problem}`);
  } catch (error) {
    run.services.panic(`ARC: signing failed: ${errorText(error)}`);
  }
  return '';
}

/** `identity : selector : key [: options]`. */
async function orderFor({ options, services }: SmtpRun, context: Context): Promise<ArcOrder | undefined> {
  const expansion = await options.arc_sign?.expand(context);
  if (expansion === undefined) return undefined;
  if (!expansion.ok) {
    if (expansion.kind !== 'forced') services.panic(`ARC: failed to expand arc_sign: ${expansion.message}`);
    return undefined;
  }
  const { text } = expansion;
  const [domain = '', selector = '', keyText = '', words = ''] = splitList(text.value).items;
  if (text.value === '') return undefined;
  if (domain === '' || selector === '' || keyText === '') {
    services.panic('ARC: bad signing specification');
    return undefined;
  }
  const key = signingKey(Text.derived(keyText, text), services);
  if (key === undefined) return undefined;
  const chosen = words.split(',').map((word) => word.split('=', 2));
  const now = clock.seconds();
  const expire = chosen.find(([word]) => word === 'expire');
  return {
    domain,
    selector,
    key,
    created: chosen.some(([word]) => word === 'timestamps') ? now : undefined,
    expires: expire && expiry(expire[1] ?? '', now),
  };
}

/** A time, or with `+` so many seconds from now. */
function expiry(value: string, now: number): number {
  const [, plus = '', digits] = /^(\+?)(\d{1,12})$/.exec(value) ?? [];
  if (digits === undefined) return now + month;
  return Number(digits) + (plus === '' ? 0 : now);
}
