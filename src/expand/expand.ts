/**
 * The door to the expansion language (Exim spec 11): text is compiled once, when it is first used, and the
 * result is asked for with a context as often as needed. What can go wrong comes back as a value.
 */

import type { Eventual } from '../lib/eventual.ts';
import { Text } from '../safe/taint.ts';
import { makeCompiler } from './compile.ts';
import type { Context, Results } from './context.ts';
import type { Evaluate } from './evaluate.ts';
import { ExpansionFailure } from './failure.ts';
import { parse } from './parse.ts';
import type { Node } from './tree.ts';

export type Expansion =
  | { readonly ok: true; readonly text: Text }
  | { readonly ok: false; readonly kind: 'failed' | 'forced' | 'defer'; readonly message: string };

export type Expander = (context: Context) => Eventual<Expansion>;

const compiler = makeCompiler(parse);

function failure(error: unknown): Expansion {
  if (error instanceof ExpansionFailure) return { ok: false, kind: error.kind, message: error.message };
  throw error;
}

/** Turns what an evaluation throws into a value. */
function guard(evaluate: Evaluate): Expander {
  return (context) => {
    try {
      const value = evaluate(context);
      if (value instanceof Promise) return value.then((text) => ({ ok: true, text }) as Expansion, failure);
      return { ok: true, text: value };
    } catch (error) {
      return failure(error);
    }
  };
}

/** A compiled string of the configuration. */
export interface Template {
  /** The text as it was written. */
  readonly source: string;
  readonly tree: Node;
  /** The value, when it is the same whatever the context. */
  readonly constant: Text | undefined;
  readonly expand: Expander;
}

/** Compiles a string. Mistakes in it come as failures when it is expanded. */
export function compileTemplate(source: string): Template {
  if (!/[$\\]/.test(source)) {
    const text = Text.configured(source);
    const expansion: Expansion = { ok: true, text };
    return { source, tree: { kind: 'literal', at: 0, text: source }, constant: text, expand: () => expansion };
  }
  // read when it is first used: a command uses few of the strings of a configuration
  let tree: Node | undefined;
  let expand: Expander | undefined;
  const parsed = (): Node => {
    tree ??= parse(source);
    return tree;
  };
  return {
    source,
    get tree() {
      return parsed();
    },
    get constant() {
      const read = parsed();
      return read.kind === 'literal' ? Text.configured(read.text) : undefined;
    },
    expand(context) {
      expand ??= guard(compiler.text(parsed()));
      return expand(context);
    },
  };
}

/** Expands text that came up at run time; tainted text is refused. */
export function expandText(text: Text, context: Context): Eventual<Expansion> {
  if (!text.isClean) {
    return { ok: false, kind: 'failed', message: `attempt to expand tainted string '${text.value}'` };
  }
  return guard(compiler.source(text.value))(context);
}

/** Values before any expansion set one. */
export function freshResults(): Results {
  return { numeric: [], value: Text.empty, item: undefined, runrc: 0 };
}
