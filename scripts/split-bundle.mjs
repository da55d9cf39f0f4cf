/**
 * Parts the bundle in two programs, so that a short command reads and prepares only what it needs: modules that the
 * entry point imports statically are one, all that is only ever imported when it is needed is the other. The second is
 * handed the bindings of the first. That works because no module exports a binding that changes (`export let`), and all
 * modules of the first have run before the second is loaded.
 */

/** A module begins in the output of esbuild with a comment that is its path. */
const beginning = /^(?=\/\/ (?:(?:src|node_modules)\/.*|package\.json)$)/m;
const pathOf = (part) => /^\/\/ (.*)\n/.exec(part)[1];

/** Paths of the modules that are imported statically from there on. */
function reachable(inputs, entries) {
  const found = new Set(entries);
  for (const path of found) {
    for (const { kind, external, path: imported } of inputs[path].imports) {
      if (kind !== 'dynamic-import' && !external) found.add(imported);
    }
  }
  return found;
}

/** Names that are declared at the top of the bundle; text of a template may add some that are none. */
function declared(code) {
  const names = new Set();
  for (const [, name] of code.matchAll(/^(?:async )?function\*? ([\w$]+)\(/gm)) names.add(name);
  for (const [, list] of code.matchAll(/^var ([\w$]+(?:, [\w$]+)*)(?: =|;)/gm)) {
    for (const name of list.split(', ')) names.add(name);
  }
  return names;
}

/**
 * @param code the bundle, not minified, in the form of CommonJS
 * @param inputs `inputs` of esbuild's metafile
 * @param entries where the first program begins
 * @returns the text of both programs: `core` calls `loadRest(bindings)` when it first needs the other one, and `rest` is
 *   the body of a function that has those bindings as its parameter `core`
 */
export function splitBundle(code, inputs, entries) {
  const first = reachable(inputs, entries);
  const [head, ...parts] = code.split(beginning);
  const isFirst = (part) => first.has(pathOf(part)) || pathOf(part) === 'package.json';
  const coreParts = [head, ...parts.filter(isFirst)];
  const rest = parts.filter((part) => !isFirst(part)).join('');
  const lazily = new Map([...rest.matchAll(/^var (init_[\w$]+) = __esm\(/gm)].map(([, name]) => [name, undefined]));
  const last = coreParts.pop();
  const linked = [...coreParts, 'function __rest() { return __rest.made ??= loadRest(__bindings()) }\n', last]
    .join('')
    .replace(/\((init_[\w$]+)\(\), ([\w$]+_exports)\)/g, (whole, init, exports) => {
      if (!lazily.has(init)) return whole;
      lazily.set(init, exports);
      return `(__rest().${init}(), __rest().${exports})`;
    });
  const shared = coreParts.join('');
  const odd = /^(?:(?:let|const|class)\b|var [[{])/m.exec(shared);
  if (odd !== null) throw new Error(`the bundle declares something in another way: ${odd[0]}`);
  const names = [...declared(shared)];
  const used = new Set(rest.match(/[\w$]+/g));
  const bindings = names.filter((name) => used.has(name));
  // modules that nothing has needed so far run now: what they declare is handed over
  const run = names.filter((name) => name.startsWith('init_')).map((name) => `${name}();`);
  const given = [...lazily].filter(([, exports]) => exports !== undefined).flat();
  return {
    core: linked.replace(
      'function __rest()',
      `function __bindings() { ${run.join(' ')} return { ${bindings.join(', ')} } }\nfunction __rest()`,
    ),
    rest: `const { ${bindings.join(', ')} } = core;\n${rest}\nreturn { ${given.join(', ')} };`,
  };
}
