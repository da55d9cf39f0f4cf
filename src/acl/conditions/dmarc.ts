/** `dmarc_status`: what the domain in From: wants done with the message (Exim spec 58.6). */

import { splitList } from '../../lib/list-text.ts';
import type { ConditionAnswer, TextCondition } from '../acl.ts';
import { withoutContent } from '../phases.ts';

export const dmarcStatus: TextCondition = {
  kind: 'condition',
  name: 'dmarc_status',
  doc: 'The DMARC check came to one of these results.',
  forbidden: withoutContent,
  async test(text, { context, services }): Promise<ConditionAnswer> {
    const { message, decisions } = context;
    if (message === undefined) return 'false';
    message.dmarc ??= await services.dmarc();
    const { status, usedDomain } = message.dmarc;
    if (decisions.listening) decisions.step('acl', `DMARC ${usedDomain}`, status);
    const { items } = splitList(text);
    return items.some((item) => (item.startsWith('!') ? item.slice(1) !== status : item === status)) ? 'true' : 'false';
  },
};
