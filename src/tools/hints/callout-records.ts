/** The callout cache as records: one for each address, and one for each domain. */

import { readAnswer, readAnswers, writeAnswer, writeAnswers } from '../../hints/callout-hints.ts';
import type { HintsFile } from '../../hints/hints.ts';
import * as clock from '../../lib/clock.ts';
import { type Changed, type HintsRecord, unknownField } from './records.ts';

const words = ['unknown', 'accept', 'reject'] as const;
const numberOf = (good: boolean | undefined): number => (good === undefined ? 0 : good ? 1 : 2);

const questions = ['takes bounces', 'has a postmaster', 'takes anything'] as const;

export function* calloutRecords(file: HintsFile): Generator<HintsRecord> {
  for (const [key, text, expires] of file.entries()) {
    if (key.startsWith('a:')) yield addressRecord(key, text, expires, file);
    else if (key.startsWith('d:')) yield domainRecord(key, text, expires, file);
  }
}

function addressRecord(key: string, text: string, expires: number | undefined, file: HintsFile): HintsRecord {
  let answer = readAnswer(text);
  const number = (): number => numberOf(answer?.good);
  return {
    key: key.slice(2),
    updated: answer?.time ?? 0,
    dump: (time) => `${time(answer?.time ?? 0)} ${key.slice(2)} callout=${words[number()]}\n`,
    show: () => `0 callout:    ${words[number()]} (${number()})\n`,
    change(field, value) {
      if (field !== 0) return unknownField;
      const good = goodOf(value);
      answer = good === undefined ? undefined : { good, time: clock.seconds() };
      if (answer === undefined) file.delete(key);
      else file.set(key, writeAnswer(answer), expires);
      return {};
    },
    delete: () => file.delete(key),
  };
}

function domainRecord(key: string, text: string, expires: number | undefined, file: HintsFile): HintsRecord {
  const answers = readAnswers(text);
  const number = (field: number): number => {
    const question = questions[field];
    return numberOf(question === undefined ? undefined : answers.get(question)?.good);
  };
  const updated = (): number => Math.max(0, ...[...answers.values()].map(({ time }) => time));
  return {
    key: key.slice(2),
    updated: updated(),
    dump(time) {
      const told = (field: 1 | 2): string => {
        const answer = answers.get(questions[field]);
        return `${words[number(field)]}${answer === undefined ? '' : ` (${time(answer.time)})`}`;
      };
      return `${time(updated())} ${key.slice(2)} callout=${words[number(0)]} postmaster=${told(1)} random=${told(2)}\n`;
    },
    show: () => `0 callout:    ${words[number(0)]} (${number(0)})
1 postmaster: ${words[number(1)]} (${number(1)})
2 random:     ${words[number(2)]} (${number(2)})
`,
    change(field, value): Changed {
      const question = questions[field];
      if (question === undefined) return unknownField;
      const good = goodOf(value);
      if (good === undefined) answers.delete(question);
      else answers.set(question, { good, time: clock.seconds() });
      file.set(key, writeAnswers(answers), expires);
      return {};
    },
    delete: () => file.delete(key),
  };
}

/** 1 accepts and 2 rejects; any other number knows nothing. */
function goodOf(value: string): boolean | undefined {
  const number = Number.parseInt(value, 10);
  return number === 1 ? true : number === 2 ? false : undefined;
}
