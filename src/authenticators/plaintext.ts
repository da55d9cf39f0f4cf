/** The plaintext authenticator: PLAIN, LOGIN and whatever else sends its secrets as they are (Exim spec 34). */

import { compileTemplate, type Template } from '../expand/expand.ts';
import { splitList } from '../lib/list-text.ts';
import { Text } from '../safe/taint.ts';
import { defineAuthenticator, type Examine, type LogIn } from './authenticator.ts';
import { checkCondition, notBase64, setAuthValues, verdictOnFailure } from './expanding.ts';
import { plaintextOptions } from './plaintext-options.ts';

/** Strings that a client may send; nothing looks at more. */
const mostStrings = 16;

const stringsIn = (data: string): readonly string[] => data.split('\0', mostStrings);

function examine(promptsOption: Template | undefined, condition: Template): Examine {
  return async ({ initial, ask }, context) => {
    const expansion = await promptsOption?.expand(context);
    if (expansion !== undefined && !expansion.ok) {
      return expansion.kind === 'forced'
        ? { outcome: 'deferred', message: expansion.message, told: false }
        : verdictOnFailure(expansion);
    }
    const prompts = expansion === undefined ? [] : splitList(expansion.text.value).items;
    const strings: string[] = initial === undefined ? [] : [...stringsIn(initial)];
    while (strings.length < prompts.length) {
      const answer = await ask(prompts[strings.length] ?? '');
      if (answer.outcome !== 'text') return answer;
      strings.push(...stringsIn(answer.text));
    }
    setAuthValues(strings.map(Text.tainted), context);
    return checkCondition(condition, context);
  };
}

/** A circumflex stands for NUL, two for one (Exim spec 34.7). */
function withNuls(text: string): string {
  return text.replace(/\^\^?/g, (found) => (found === '^' ? '\0' : '^'));
}

function logIn(texts: readonly Template[], ignoresInvalid: boolean): LogIn {
  return async (server, context) => {
    const challenges: Text[] = [];
    setAuthValues(challenges, context);
    let isFirst = true;
    for (const template of texts.length === 0 ? [compileTemplate('')] : texts) {
      const expansion = await template.expand(context);
      if (!expansion.ok) {
        if (expansion.kind === 'forced' && isFirst) return { outcome: 'skipped' };
        return { outcome: 'failed', message: `expansion of "${template.source}" failed: ${expansion.message}` };
      }
      const text = withNuls(expansion.text.value);
      const turn = isFirst ? await server.begin(text === '' ? undefined : text) : await server.answer(text);
      if (turn.outcome !== 'challenge') return turn;
      if (turn.text === undefined && !ignoresInvalid) {
        return { outcome: 'failed', message: notBase64(turn.reply) };
      }
      challenges.push(Text.tainted(turn.text ?? ''));
      setAuthValues(challenges, context);
      isFirst = false;
    }
    // the server wants more than there is
    return { outcome: 'refused' };
  };
}

export const plaintext = defineAuthenticator({
  name: 'plaintext',
  summary: 'PLAIN and LOGIN',
  options: plaintextOptions,
  make: ({ server_prompts, client_send, client_ignore_invalid_base64 }, { server_condition }) => ({
    examine: server_condition === undefined ? undefined : examine(server_prompts, server_condition),
    // the list is split before its items are expanded
    logIn:
      client_send === undefined
        ? undefined
        : logIn(splitList(client_send.source).items.map(compileTemplate), client_ignore_invalid_base64),
  }),
});
