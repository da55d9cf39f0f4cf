/** The tree of an expansion to closures. Constant parts are joined; what is known when the text is read is never looked up again. */

import { type Eventual, lastly, then } from '../lib/eventual.ts';
import { Cache } from '../lib/lru.ts';
import { Text } from '../safe/taint.ts';
import { conditions } from './conditions.ts';
import type { Context } from './context.ts';
import type { Compiler, Evaluate, Test } from './evaluate.ts';
import { ExpansionFailure, fail } from './failure.ts';
import { headerReader } from './headers.ts';
import { items } from './items.ts';
import { expandOperator, operatorNamed } from './operators.ts';
import { guardOf } from './outside.ts';
import { maximumDepth } from './reader.ts';
import type { Condition, Node } from './tree.ts';
import { variableReader } from './variables.ts';

/** How the compiler gets at the parser, which knows the same tables. */
type Parse = (text: string) => Node;

export function makeCompiler(parse: Parse): Compiler {
  const compiler: Compiler = {
    text: (node) => compileText(node, compiler),
    test: (condition) => compileTest(condition, compiler),
    source: (text) => source(text),
    again: (text, context, explained) => expandAgain(text, context, source, explained),
    variable: variableReader,
    header: headerReader,
  };
  const source = sourceCache(parse, compiler);
  return compiler;
}

function compileText(node: Node, compiler: Compiler): Evaluate {
  switch (node.kind) {
    case 'literal': {
      const text = Text.configured(node.text);
      return () => text;
    }
    case 'sequence':
      return compileSequence(
        node.parts.map((part) => compileText(part, compiler)),
        node.parts,
      );
    case 'variable': {
      const read = variableReader(node.name);
      if (read === undefined) return () => fail(`unknown variable name "${node.name}"`);
      if (/^acl_[cm][0-9_]/.test(node.name)) return strictly(node.name, read);
      return (context) => then(read(context), (value) => value ?? Text.empty);
    }
    case 'header': {
      const read = headerReader(node);
      return (context) => read(context) ?? Text.empty;
    }
    case 'operator':
      return compileOperator(node, compiler);
    case 'item': {
      const item = items.get(node.name);
      if (item === undefined) return () => fail(`unknown expansion item "${node.name}"`);
      return guarded(guardOf('item', node.name), item.compile(node, compiler));
    }
    case 'mistake':
      return () => fail(node.message);
  }
}

function compileSequence(parts: readonly Evaluate[], nodes: readonly Node[]): Evaluate {
  if (nodes.every((node) => node.kind === 'literal')) {
    const text = Text.configured(nodes.map((node) => (node.kind === 'literal' ? node.text : '')).join(''));
    return () => text;
  }
  const finish = async (context: Context, values: Text[], first: Promise<Text>): Promise<Text> => {
    values.push(await first);
    for (const part of parts.slice(values.length)) values.push(await part(context));
    return Text.join(values);
  };
  return (context) => {
    const values: Text[] = [];
    for (const part of parts) {
      const value = part(context);
      if (value instanceof Promise) return finish(context, values, value);
      values.push(value);
    }
    return Text.join(values);
  };
}

/** An ACL variable that was never set is a mistake where `strict_acl_vars` says so. */
function strictly(name: string, read: (context: Context) => Eventual<Text | undefined>): Evaluate {
  return (context) =>
    then(read(context), (value) => {
      if (value !== undefined) return value;
      return context.settings.strictAclVars
        ? fail(`unknown variable name "${name}" (strict_acl_vars is set)`)
        : Text.empty;
    });
}

function compileOperator(node: Node & { kind: 'operator' }, compiler: Compiler): Evaluate {
  const operand = compileText(node.operand, compiler);
  const found = operatorNamed(node.name);
  if (found === undefined) return () => fail(`unknown expansion operator "${node.name}"`);
  const { operator, option } = found;
  if (operator === expandOperator) {
    return (context) => then(operand(context), (text) => compiler.again(text, context, true));
  }
  return guarded(guardOf('operator', node.name), (context) =>
    then(operand(context), (text) =>
      then(operator.evaluate(text, option, context), (result) =>
        typeof result === 'string' ? Text.derived(result, text) : result,
      ),
    ),
  );
}

/** Asks first whether it may be evaluated at all. */
function guarded<T>(
  guard: ReturnType<typeof guardOf>,
  evaluate: (context: Context) => Eventual<T>,
): (context: Context) => Eventual<T> {
  if (guard === undefined) return evaluate;
  return (context) => {
    guard(context);
    return evaluate(context);
  };
}

/** Sources of second expansions are often the same ones again (the replacement of `sg`, a looked-up template). */
function sourceCache(parse: Parse, compiler: Compiler): (text: string) => Evaluate {
  const cache = new Cache<string, Evaluate>(200);
  return (text) => {
    let evaluate = cache.get(text);
    if (evaluate === undefined) {
      evaluate = compileText(parse(text), compiler);
      cache.set(text, evaluate);
    }
    return evaluate;
  };
}

/** A second expansion of what a first one gave. Text from outside is never taken for a source (Exim spec 11). */
function expandAgain(
  text: Text,
  context: Context,
  source: (text: string) => Evaluate,
  explained: boolean,
): Eventual<Text> {
  const explain = (error: unknown): never => {
    if (!(error instanceof ExpansionFailure) || !explained) throw error;
    throw new ExpansionFailure(error.kind, `internal expansion of "${text.value}" failed: ${error.message}`);
  };
  context.depth++;
  return lastly(
    () => {
      try {
        if (!text.isClean && text.value !== '') fail(`attempt to expand tainted string '${text.value}'`);
        if (context.depth > maximumDepth) fail('too many nested expansions');
        const value = source(text.value)(context);
        return value instanceof Promise ? value.catch(explain) : value;
      } catch (error) {
        return explain(error);
      }
    },
    () => {
      context.depth--;
    },
  );
}

function compileTest(condition: Condition, compiler: Compiler): Test {
  const row = conditions.get(condition.name);
  const test =
    row === undefined
      ? () => fail(`unknown condition "${condition.name}"`)
      : guarded(guardOf('condition', condition.name), row.compile(condition, compiler));
  return condition.negated ? (context) => then(test(context), (value) => !value) : test;
}
