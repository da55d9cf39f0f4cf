/** The library mailauth, module by module, and our own resolver as it wants to have one. */

import { loadLibrary } from '../lib/library.ts';
import type { Resolver } from '../net/dns.ts';

/** Answers of `node:dns`; thrown errors have one of its codes. */
export type LibraryResolver = (name: string, type: string) => Promise<unknown>;

export interface SpfResponse {
  readonly status: { readonly result: string; readonly comment?: string };
  /** The record that was found. */
  readonly rr?: string;
}

interface SpfModule {
  spf(options: {
    readonly sender: string;
    readonly ip: string;
    readonly helo: string;
    readonly mta: string;
    readonly resolver: LibraryResolver;
    readonly strict: boolean;
    readonly maxResolveCount: number;
    readonly maxVoidCount: number;
    readonly maxElapsedTime: number;
  }): Promise<SpfResponse>;
}

export const loadSpf = (): SpfModule => loadLibrary('mailauth/lib/spf/index.js') as SpfModule;

/** What is wrong with the terms of a record, if anything is. */
export const loadSpfSyntax = (): { validateTerms(terms: readonly string[]): string | false | undefined } =>
  loadLibrary('mailauth/lib/spf/syntax.js') as ReturnType<typeof loadSpfSyntax>;

/** Expands `%{d}` and the like. @throws when the text makes no sense */
export const loadSpfMacro = (): ((
  text: string,
  values: {
    readonly sender: string;
    readonly ip: string;
    readonly helo: string;
    readonly mta: string;
    readonly domain: string;
  },
) => string) => loadLibrary('mailauth/lib/spf/macro.js') as ReturnType<typeof loadSpfMacro>;

/** Octets of a TXT record; longer ones are passed over. */
const longestText = 4096;
const mostRecords = 100;

function failure(code: 'ENOTFOUND' | 'ENODATA' | 'ETIMEOUT'): Error {
  return Object.assign(new Error(`DNS: ${code}`), { code });
}

/** Asks our resolver, whose answers are bounded and kept; trouble is told as the library expects it. */
export function libraryResolver(resolver: Pick<Resolver, 'resolve'>): LibraryResolver {
  async function ask<T extends 'A' | 'AAAA' | 'MX' | 'PTR' | 'TXT'>(name: string, type: T) {
    const answer = await resolver.resolve(name, type);
    if (answer.outcome === 'again') throw failure('ETIMEOUT');
    if (answer.outcome === 'nothing') throw failure(answer.kind === 'nodata' ? 'ENODATA' : 'ENOTFOUND');
    return answer.records.slice(0, mostRecords);
  }
  return async (name, type) => {
    switch (type) {
      case 'A':
      case 'AAAA':
      case 'PTR':
        return ask(name, type);
      case 'MX':
        return (await ask(name, type)).map(({ preference: priority, exchange }) => ({ priority, exchange }));
      case 'TXT': {
        const records = await ask(name, type);
        return records
          .filter((strings) => strings.reduce((sum, text) => sum + text.length, 0) <= longestText)
          .map((strings) => [...strings]);
      }
      default:
        throw failure('ENODATA');
    }
  };
}
