/** The line that mailbox files and UUCP put in front of a message, and the sender that it names. */

import type { Context } from '../expand/context.ts';
import { regex } from '../lib/regex.ts';
import { parseAddress } from '../mail/address.ts';
import { expandGroups } from './callers-name.ts';
import type { Runtime } from './runtime.ts';

/** `From sender date` in front of the header lines, as UUCP and mailbox files have it (Exim spec 48.4). */
export class FromLine {
  readonly #pattern: string;
  #done = false;
  #held = '';
  /** What the pattern matched in the line, when there was one. */
  groups: readonly (string | undefined)[] | undefined;

  constructor(pattern: string) {
    this.#pattern = pattern;
  }

  /** The octets without the line. */
  take(chunk: Buffer): Buffer {
    if (this.#done) return chunk;
    this.#held += chunk.toString('latin1');
    const end = this.#held.indexOf('\n');
    const mayBe = this.#held.startsWith('From ') || 'From '.startsWith(this.#held.slice(0, 5));
    if (mayBe && end < 0 && this.#held.length < 4096) return Buffer.alloc(0);
    this.#done = true;
    const line = end < 0 ? this.#held : this.#held.slice(0, end);
    const found = mayBe ? regex(this.#pattern).match(line) : undefined;
    if (found !== undefined) {
      this.groups = found.groups;
      this.#held = this.#held.slice(end + 1);
    }
    return Buffer.from(this.#held, 'latin1');
  }

  end(): Buffer {
    return this.#done ? Buffer.alloc(0) : Buffer.from(this.#held, 'latin1');
  }
}

/**
 * The envelope sender that the line names, as `uucp_from_sender` has it; nothing when it names none that can be used.
 */
export async function fromLineSender(
  { groups }: FromLine,
  context: Context,
  { config, settings, logs }: Runtime,
): Promise<string | undefined> {
  if (groups === undefined) return undefined;
  const template = config.main.uucp_from_sender;
  const expansion = await expandGroups(template, groups, context);
  if (!expansion.ok) {
    logs.panic(`expansion of "${template.source}" failed after matching "From " line: ${expansion.message}`);
    return undefined;
  }
  const text = expansion.text.value;
  const parsed = text === '' ? undefined : parseAddress(text, { allowEmpty: true });
  if (parsed === undefined || 'error' in parsed) return undefined;
  return parsed.domain === undefined && parsed.address !== ''
    ? `${parsed.address}@${settings.qualifyDomain}`
    : parsed.address;
}
