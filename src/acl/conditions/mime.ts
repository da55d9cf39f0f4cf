/** `decode` and `mime_regex`: conditions about one MIME part, which only MIME ACLs have (Exim spec 45.4, 45.5). */

import { Text } from '../../safe/taint.ts';
import type { ConditionAnswer, FileCondition, TextCondition } from '../acl.ts';
import { exceptMime } from '../phases.ts';
import { RegexList } from '../scan/regex-list.ts';

/** Octets of a decoded part that mime_regex looks at. */
const looksAt = 32 * 1024;

const decode: FileCondition = {
  kind: 'file condition',
  name: 'decode',
  doc: 'Decodes the MIME part into a file: `default`, a name in the directory of the message, or a path.',
  forbidden: exceptMime,
  async test(text, { services, context }): Promise<ConditionAnswer> {
    const { value } = text;
    if (value === '0' || value === 'false') return 'false';
    const isDone = await services.mimePart()?.decode(value === 'default' ? Text.empty : text);
    const path = context.message?.mime?.decodedFilename.value;
    context.decisions.step('acl', `decode ${value}`, isDone ? 'decoded' : 'defer', path);
    return isDone ? 'true' : { defer: '' };
  },
};

const mimeRegex: TextCondition = {
  kind: 'condition',
  name: 'mime_regex',
  doc: 'The decoded MIME part matches one of these regular expressions.',
  forbidden: exceptMime,
  async test(text, run): Promise<ConditionAnswer> {
    const list = new RegexList(text, run);
    if (list.isEmpty) return 'false';
    const content = await run.services.mimePart()?.decoded(looksAt);
    if (content === undefined) return { defer: '' };
    return list.matches(content) ? 'true' : 'false';
  },
};

export const mimeConditions: readonly (FileCondition | TextCondition)[] = [decode, mimeRegex];
