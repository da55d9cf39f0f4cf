/** Names of the macros that tell a configuration what this program can do (Exim spec 6.9). */

/** What such a name begins with, and how it goes on. */
export const builtinName = /_(?:HAVE|DRIVER|LOG|OPT|EXP|CRYPTO|DKIM)_[A-Za-z0-9_]+/g;

const none: ReadonlyMap<string, string> = new Map();

/**
 * The macros, where one of the texts may name one or includes a file that may. They bring the options of all drivers with
 * them, so they are not imported for others.
 */
export async function builtinsFor(texts: readonly string[]): Promise<() => ReadonlyMap<string, string>> {
  if (!texts.some((text) => text.search(builtinName) >= 0 || text.includes('.include'))) return () => none;
  return (await import('./builtin-macros.ts')).builtinMacros;
}
