/**
 * Compares this program with the real Exim by hand, for as long as one likes: the same subjects as the tests
 * (test/oracle/), from other seeds.
 *
 *   [SEED=1] [ROUNDS=20] sh scripts/with-node.sh scripts/compare-with-exim.ts [SUBJECT...]
 *
 * Without a seed one is taken by chance; what differs is printed with the seed that made it.
 */

import { compare, describe } from '../test/oracle/compare.ts';
import { subjects } from '../test/oracle/subjects.ts';

const { ROUNDS = '20', SEED = String(Date.now() % 1_000_000) } = process.env;
const wanted = process.argv.slice(2);
const unknown = wanted.filter((name) => !subjects.some((subject) => subject.name === name));

if (unknown.length > 0) {
  process.stderr.write(`subjects are: ${subjects.map(({ name }) => name).join(', ')}\n`);
  process.exitCode = 2;
} else {
  for (const subject of subjects.filter(({ name }) => wanted.length === 0 || wanted.includes(name))) {
    const report = await compare(subject, Number(SEED), Number(ROUNDS));
    process.stdout.write(`${describe(report, `${subject.name}, ${ROUNDS} rounds from seed ${SEED}`)}\n`);
    if (report.unknown.length > 0) process.exitCode = 1;
  }
}
