/** Where scanners are found, as the configuration says, and what they have said of this message (Exim spec 45.1, 45.2). */

import type { Context } from '../../expand/context.ts';
import type { Template } from '../../expand/expand.ts';
import { type Clean, clean, Text } from '../../safe/taint.ts';
import type { MalwareVerdict } from './malware-verdict.ts';
import type { SpamVerdict } from './spamd.ts';

export interface ScannerSettings {
  readonly avScanner: Template;
  readonly spamdAddress: Template;
  /** By the user who was named. */
  readonly spamAnswers: Map<string, SpamVerdict>;
  /** The last answer of the virus scanner. */
  malwareAnswer: MalwareVerdict | undefined;
}

export type ScannerSetting =
  | { readonly text: Clean; readonly isExpanded: boolean }
  /** For the log. */
  | { readonly problem: string };

/** The setting: expanded when it begins with a dollar, else as it stands. */
export async function scannerSetting(template: Template, name: string, context: Context): Promise<ScannerSetting> {
  const isExpanded = template.source.startsWith('$');
  let text = Text.configured(template.source);
  if (isExpanded) {
    const expansion = await template.expand(context);
    if (!expansion.ok) return { problem: `${name} starts with $, but expansion failed: ${expansion.message}` };
    ({ text } = expansion);
  }
  const proven = clean(text);
  return proven === undefined ? { problem: `${name} "${text.value}" is tainted` } : { text: proven, isExpanded };
}
