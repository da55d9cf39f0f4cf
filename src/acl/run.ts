/** Runs ACLs: statements in order, what a verb makes of its conditions, and the texts of the answer (Exim spec 44.18 - 44.21). */

import type { Context } from '../expand/context.ts';
import { type Expansion, expandText, type Template } from '../expand/expand.ts';
import { readQuoted } from '../lib/escapes.ts';
import { Text } from '../safe/taint.ts';
import {
  type Acl,
  type AclResult,
  type AclRun,
  type Clause,
  type ConditionAnswer,
  isCondition,
  type Phase,
  type Statement,
  type Verb,
} from './acl.ts';
import { addHeaders } from './added-headers.ts';
import { findAcl } from './find.ts';
import { namedPhase, withoutMessage } from './phases.ts';

const maximumDepth = 20;

/** What running the clauses of a statement came to. */
interface Verdict {
  readonly answer: ConditionAnswer;
  readonly message: Template | undefined;
  readonly logMessage: Template | undefined;
  readonly endpass: boolean;
}

type Outcome = AclResult['outcome'];

const result = (
  run: AclRun,
  outcome: Outcome,
  userMessage: string | undefined,
  logMessage: string | undefined,
): AclResult => ({
  outcome,
  userMessage,
  logMessage,
  smtpCode: run.smtpCode,
  senderProblem: run.senderProblem,
  rejectTargets: run.rejectTargets,
});

const failed = (run: AclRun, message: string): AclResult => result(run, 'error', undefined, message);

/** Runs the ACL that `text` names or is. */
export async function runAcl(text: Text, run: AclRun): Promise<AclResult> {
  const acl = findAcl(text, run.services);
  return 'error' in acl ? failed(run, acl.error) : runStatements(acl, run);
}

async function runStatements(acl: Acl, run: AclRun): Promise<AclResult> {
  const { context } = run;
  if (context.depth >= maximumDepth) return failed(run, 'ACL nested too deep: possible loop');
  context.depth++;
  if (context.decisions.listening) context.decisions.begin('acl', `ACL "${acl.name}" for ${run.phase}`);
  let ended: AclResult | undefined;
  try {
    for (const statement of acl.statements) {
      const found = await runStatement(statement, run);
      if (found === undefined) continue;
      ended = { ...found, verb: statement.verb };
      break;
    }
    // what the last statement had against it is what is told
    ended ??= result(run, 'deny', run.userMessage, run.logMessage ?? run.userMessage);
    return ended;
  } finally {
    context.depth--;
    if (context.decisions.listening) {
      context.decisions.end(ended?.outcome ?? 'error', ended?.logMessage || ended?.userMessage);
    }
  }
}

async function runStatement(statement: Statement, run: AclRun): Promise<AclResult | undefined> {
  const { decisions } = run.context;
  run.userMessage = undefined;
  run.logMessage = undefined;
  run.smtpCode = true;
  run.senderProblem = undefined;
  if (run.context.acl) run.context.acl.verifyMessage = '';
  if (decisions.listening) decisions.begin('acl', `${statement.verb} at ${statement.place}`);
  const verdict = await runClauses(statement, run);
  if (decisions.listening) {
    const { answer } = verdict;
    decisions.end(typeof answer === 'string' ? answer : 'defer' in answer ? 'defer' : `error: ${answer.error}`);
  }
  const ended = await conclude(statement.verb, verdict, run);
  if (statement.verb === 'warn') {
    run.userMessage = undefined;
    run.logMessage = undefined;
  }
  return ended;
}

async function runClauses(statement: Statement, run: AclRun): Promise<Verdict> {
  let message: Template | undefined;
  let logMessage: Template | undefined;
  let endpass = false;
  for (const clause of statement.clauses) {
    const { driver, name } = clause;
    if (driver !== 'acl' && driver.kind === 'mark') endpass = true;
    else if (name === 'message') message = clause.template;
    else if (name === 'log_message') logMessage = clause.template;
    else {
      const answer = await runClause(clause, run);
      if (answer !== 'true') return { answer, message, logMessage, endpass };
    }
  }
  return { answer: 'true', message, logMessage, endpass };
}

async function runClause(clause: Clause, run: AclRun): Promise<ConditionAnswer> {
  const { driver, name, template } = clause;
  if (driver === 'acl') return negate(await callAcl(template, run), clause);
  const misplaced = (): { readonly error: string } | undefined =>
    driver.forbidden.includes(run.phase)
      ? { error: `cannot ${isCondition(driver) ? 'test' : 'use'} ${name} condition in ${namedPhase(run.phase)} ACL` }
      : undefined;
  if (driver.kind === 'list condition') {
    return misplaced() ?? negate(await driver.test(template, run), clause);
  }
  if (!isCondition(driver) && driver.kind !== 'modifier') return misplaced() ?? 'true';
  const expansion = await expand(template, run.context);
  if (!expansion.ok) return expansion.kind === 'forced' ? 'true' : notExpanded(template.source, expansion.message);
  // what cannot be expanded is told first, as Exim does
  const wrong = misplaced();
  if (wrong !== undefined) return wrong;
  if (driver.kind === 'file condition') return negate(await driver.test(expansion.text, run), clause);
  if (driver.kind === 'condition') return negate(await driver.test(expansion.text.value, run), clause);
  const problem = await driver.apply(expansion.text, run, clause.variable);
  return problem === undefined ? 'true' : problem;
}

const notExpanded = (source: string, message: string): { readonly error: string } => ({
  error: `failed to expand ACL string "${source}": ${message}`,
});

function negate(answer: ConditionAnswer, { negated, name, template }: Clause): ConditionAnswer {
  if (!negated) return answer;
  if (answer === 'true') return 'false';
  if (answer === 'false' || answer === 'drop') return 'true';
  return answer === 'discard'
    ? { error: `"discard" is not allowed with a negated "${name} = ${template.source}"` }
    : answer;
}

function expand(template: Template, context: Context): Expansion | Promise<Expansion> {
  return template.constant === undefined ? template.expand(context) : { ok: true, text: template.constant };
}

/** The condition `acl`: the name and each argument are expanded on their own. */
async function callAcl(template: Template, run: AclRun): Promise<ConditionAnswer> {
  const { context } = run;
  const words: Text[] = [];
  const sources =
    run.services.named(template.source.split(/[ \t-\r]/, 1)[0] ?? '') || /^[$/]/.test(template.source)
      ? splitArguments(template.source)
      : [template.source];
  for (const source of sources) {
    const expansion = await expandText(Text.configured(source), context);
    if (!expansion.ok) return expansion.kind === 'forced' ? 'true' : notExpanded(source, expansion.message);
    words.push(expansion.text);
  }
  const [name = Text.empty, ...args] = words;
  const called = await callWithArguments(name, args, run);
  switch (called.outcome) {
    case 'accept':
      return 'true';
    case 'error':
      return { error: called.logMessage ?? '' };
    default:
      run.userMessage = called.userMessage;
      run.logMessage = called.logMessage;
      run.smtpCode = called.smtpCode;
      run.senderProblem = called.senderProblem;
      return called.outcome === 'defer'
        ? { defer: called.logMessage ?? '' }
        : called.outcome === 'deny'
          ? 'false'
          : called.outcome;
  }
}

/** The name of an ACL and its arguments; a quoted one may hold blanks. */
function splitArguments(text: string): string[] {
  const words: string[] = [];
  for (let at = 0; at < text.length && words.length < 10; ) {
    if (/[ \t-\r]/.test(text[at] ?? '')) {
      at++;
      continue;
    }
    const quoted = text[at] === '"' ? readQuoted(text, at) : undefined;
    const plain = /^[^ \t-\r]+/.exec(text.slice(at))?.[0] ?? '';
    words.push(quoted?.value ?? plain);
    at = quoted?.end ?? at + plain.length;
  }
  return words;
}

/** Runs an ACL with `$acl_arg1` … set; the caller's own are put back afterwards. */
export async function callWithArguments(name: Text, args: readonly Text[], run: AclRun): Promise<AclResult> {
  const { context } = run;
  const facts = context.acl;
  const earlier = facts?.arguments ?? [];
  const targets = run.rejectTargets;
  if (facts) facts.arguments = args;
  try {
    return await runAcl(name, run);
  } finally {
    if (facts) facts.arguments = earlier;
    run.rejectTargets = targets;
  }
}

/** What each verb makes of conditions that are all true, or of one that is false. */
const meanings: Readonly<Record<Verb, { readonly met: Outcome | 'next'; readonly unmet: Outcome | 'next' }>> = {
  accept: { met: 'accept', unmet: 'next' },
  defer: { met: 'defer', unmet: 'next' },
  deny: { met: 'deny', unmet: 'next' },
  discard: { met: 'discard', unmet: 'next' },
  drop: { met: 'drop', unmet: 'next' },
  require: { met: 'next', unmet: 'deny' },
  warn: { met: 'next', unmet: 'next' },
};

async function conclude(verb: Verb, verdict: Verdict, run: AclRun): Promise<AclResult | undefined> {
  const { answer } = verdict;
  if (typeof answer === 'object' && 'error' in answer) return failed(run, answer.error);
  if (typeof answer === 'object') {
    // message and log_message are about what the statement decides, and it could not
    if (verb !== 'warn') {
      const deferred = result(run, 'defer', run.userMessage, run.logMessage ?? (answer.defer || undefined));
      return { ...deferred, isPublic: answer.isPublic };
    }
    if (run.services.logsSkippedWarnings) {
      run.services.log(
        ['main'],
        `${run.services.hostText()}Warning: ACL "warn" statement skipped: condition test deferred${answer.defer === '' ? '' : `: ${answer.defer}`}`,
      );
    }
    return undefined;
  }
  if (answer === 'discard') {
    return verb === 'accept' || verb === 'discard'
      ? finish('discard', verdict, run)
      : failed(run, `"discard" from a called ACL is not allowed with "${verb}"`);
  }
  if (verb === 'warn') {
    if (answer === 'true') await warn(verdict, run);
    return undefined;
  }
  const { met, unmet } = meanings[verb];
  const outcome = answer === 'true' ? met : verdict.endpass ? 'deny' : unmet;
  if (outcome === 'next') {
    // what an `accept` says is told, too, when it was the last statement and did not accept
    if (meanings[verb].unmet === 'next' && accepts(met))
      await sayTexts(verdict, { positive: false, onlyLog: false }, run);
    return undefined;
  }
  return finish(outcome === 'deny' && answer === 'drop' ? 'drop' : outcome, verdict, run);
}

const accepts = (outcome: Outcome | 'next'): boolean => outcome === 'accept' || outcome === 'discard';

/** The statement ends the ACL: its texts are expanded now. */
async function finish(outcome: Outcome, verdict: Verdict, run: AclRun): Promise<AclResult> {
  const positive = accepts(outcome);
  await sayTexts(verdict, { positive, onlyLog: positive && verdict.endpass }, run);
  return result(run, outcome, run.userMessage, run.logMessage ?? run.userMessage);
}

/**
 * The texts of the statement take the place of what its conditions said to the other side, and stand before that in the
 * log; when all is well, nothing of what conditions said is left.
 */
async function sayTexts(
  { message, logMessage }: Verdict,
  { positive, onlyLog }: { readonly positive: boolean; readonly onlyLog: boolean },
  run: AclRun,
): Promise<void> {
  const { userMessage } = run;
  const underlying = run.logMessage;
  const said = onlyLog ? '' : await late(message, userMessage, run);
  const logged = await late(logMessage, underlying, run);
  if (said !== '') run.smtpCode = true;
  if (said !== '' || positive) run.userMessage = said || undefined;
  if (positive) run.logMessage = logged || undefined;
  else if (logged !== '') run.logMessage = underlying === undefined ? logged : `${logged}: ${underlying}`;
}

/**
 * The text of `message` or `log_message`, which may quote what the conditions had to say to the same ears; one that
 * cannot be expanded is as if it were not there.
 */
async function late(template: Template | undefined, verifyMessage: string | undefined, run: AclRun): Promise<string> {
  if (template === undefined) return '';
  const { acl } = run.context;
  if (acl) acl.verifyMessage = verifyMessage ?? '';
  const expansion = await expand(template, run.context);
  if (acl) acl.verifyMessage = '';
  if (expansion.ok) return expansion.text.value;
  if (expansion.kind !== 'forced') {
    run.services.log(['main', 'panic'], `failed to expand ACL message "${template.source}": ${expansion.message}`);
  }
  return '';
}

/** Where the text of a `warn` statement, which is header lines, has no message to go to. */
const noHeaders: readonly Phase[] = [...withoutMessage, 'non-SMTP-start'];

async function warn({ message, logMessage }: Verdict, run: AclRun): Promise<void> {
  const header = await late(message, run.userMessage, run);
  if (header !== '' && noHeaders.includes(run.phase)) {
    const where = `a non-message (${run.phase}) ACL`;
    run.services.log(
      ['main', 'panic'],
      `ACL "warn" with "message" setting found in ${where}: cannot specify header lines here: message ignored`,
    );
  } else if (header !== '' && run.context.message !== undefined) addHeaders(header, run);
  const text = await late(logMessage, run.logMessage, run);
  if (text === '') return;
  const line = `${run.services.hostText()}Warning: ${text}`;
  if (run.warned.has(line)) return;
  run.warned.add(line);
  run.services.log(['main'], line);
}
