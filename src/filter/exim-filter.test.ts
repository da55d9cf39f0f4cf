import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Text } from '../safe/taint.ts';
import { usualLimits } from './filter-outcome.ts';
import { filterContext, runTestFilter } from './test-filter.ts';

/** Runs for real: what is asked for comes back, and nothing is printed. */
const real = { test: undefined } as const;

async function actions(filter: string): Promise<readonly unknown[]> {
  const { outcome } = await runTestFilter(filter, real);
  assert.notEqual(outcome.outcome, 'error', JSON.stringify(outcome));
  return outcome.outcome === 'error' ? [] : outcome.actions;
}

test('deliveries come back in their order, with what was said of them', async () => {
  const context = filterContext();
  const { outcome } = await runTestFilter(
    'deliver a@b errors_to root\nnoerror save /x 0640\nunseen pipe "cmd $1"\nmail to c@d subject s text t once_repeat 2d\n',
    { ...real, context },
  );
  assert.ok(outcome.outcome === 'done');
  assert.equal(outcome.significant, true);
  const [deliver, save, pipe, reply] = outcome.actions;
  assert.deepEqual(deliver, {
    kind: 'address',
    text: Text.configured('a@b'),
    errorsTo: 'root@mail.example',
    noError: false,
  });
  assert.ok(save?.kind === 'file' && save.mode === 0o640 && save.noError && save.text.value === '/x');
  assert.ok(pipe?.kind === 'pipe' && pipe.text.value === 'cmd $1');
  assert.ok(reply?.kind === 'reply' && reply.reply.to === 'c@d' && reply.reply.onceRepeat === 172_800);
});

test('a command keeps the captures and the address of the moment it was named', async () => {
  const [first] = await actions(
    'if foranyaddress "x@y, ab@c" ($thisaddress matches "^a(.)@") then pipe cmd endif if z matches "(z)" then finish endif',
  );
  assert.deepEqual(first, {
    kind: 'pipe',
    text: Text.configured('cmd'),
    captures: ['ab@', 'b'],
    thisAddress: 'ab@c',
    noError: false,
  });
});

test('names are put below the home directory, when there is one and that is wanted', async () => {
  const home = Text.configured('/home/ann');
  const context = filterContext();
  context.address = { ...({} as NonNullable<typeof context.address>), home };
  const named = async (more: object): Promise<string | undefined> => {
    const { outcome } = await runTestFilter('save mail/x', { ...real, context, ...more });
    const action = outcome.outcome === 'error' ? undefined : outcome.actions[0];
    return action?.kind === 'file' ? action.text.value : undefined;
  };
  assert.equal(await named({}), '/home/ann/mail/x');
  assert.equal(await named({ prependHome: false }), 'mail/x');
});

const names: readonly (readonly [name: string, subject: string, clean: boolean])[] = [
  ['/mail/$h_subject:', 'lists', true],
  ['/mail/list-$h_subject:', 'a b', true],
  ['/mail/$h_subject:', '../.ssh/authorized_keys', false],
  ['/mail/$h_subject:', '..', false],
  ['/mail/$h_subject:', '.', false],
  ['/mail/.$h_subject:', '.', false],
  ['/mail/$h_subject:', 'a/b', false],
];

for (const [name, subject, isClean] of names) {
  test(`${name} with a subject ${subject} is ${isClean ? 'a' : 'no'} name for a file`, async () => {
    const context = filterContext();
    const headers = [{ type: ' ' as const, text: `Subject: ${subject}\n` }];
    const message = context.message === undefined ? undefined : { ...context.message, headers };
    const { outcome } = await runTestFilter(`save "${name}"`, { ...real, context: { ...context, message } });
    const action = outcome.outcome === 'error' ? undefined : outcome.actions[0];
    assert.ok(action?.kind === 'file');
    assert.equal(action.text.isClean, isClean);
  });
}

test('a filter that came with a message expands nothing', async () => {
  const text = Text.tainted('# Exim filter\nsave $home/x\n');
  const { outcome } = await runTestFilter('', { ...real, text });
  assert.ok(outcome.outcome === 'error');
  assert.match(outcome.message, /attempt to expand tainted string/);
});

test('what a filter may not end with is refused before anything is done', async () => {
  for (const [command, limit] of [
    ['fail', 'allowFail'],
    ['freeze', 'allowFreeze'],
    ['defer', 'allowDefer'],
  ] as const) {
    const filter = `deliver a@b ${command} text "x"`;
    const refused = await runTestFilter(filter, real);
    assert.match(
      JSON.stringify(refused.outcome),
      new RegExp(`filtering command ."?${command}."? is disabled|disabled`),
    );
    const { outcome } = await runTestFilter(filter, { ...real, limits: { ...usualLimits, [limit]: true } });
    assert.ok(outcome.outcome === command && outcome.message === 'x' && outcome.actions.length === 1);
  }
});

test('a message that was thawed is not frozen again, and the filter ends there', async () => {
  const more = { ...real, isSystem: true, manuallyThawed: true };
  const { outcome } = await runTestFilter('freeze text x\nseen finish\n', more);
  assert.ok(outcome.outcome === 'done' && !outcome.significant);
});

test('a filter of the system hands its numbers on, and nothing of it is left in the context', async () => {
  const context = filterContext();
  const { outcome } = await runTestFilter('add 3 to n2 add 4 to n2', { ...real, isSystem: true, context });
  assert.ok(outcome.outcome === 'done');
  assert.deepEqual(outcome.numbers, [0, 0, 7, 0, 0, 0, 0, 0, 0, 0]);
  assert.equal(context.filter, undefined);
});
