/** `${perl{subroutine}{argument}…}` (Exim spec 12.2). */

import { then } from '../../lib/eventual.ts';
import { Text } from '../../safe/taint.ts';
import { type Item, plainItem } from '../evaluate.ts';
import { fail, forceFailure } from '../failure.ts';

export const perl: Item = plainItem({
  name: 'perl',
  doc: 'what a Perl subroutine returns',
  minimum: 1,
  maximum: 9,
  evaluate: ([name = Text.empty, ...args], context) =>
    then(
      context.services.callPerl(
        name.value,
        args.map((argument) => argument.value),
        context,
      ),
      (answer) => {
        switch (answer.outcome) {
          case 'returned':
            return Text.derivedFrom(answer.text, [name, ...args]);
          case 'undefined':
            return forceFailure(`Perl subroutine "${name.value}" returned undef to force failure`);
          case 'failed':
            return fail(answer.message);
        }
      },
    ),
});
