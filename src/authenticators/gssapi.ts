/**
 * Kerberos for servers, asked of a Perl process that is started at its first use and kept (`gssapi-program.ts`): one for
 * each environment that a configuration gives. The process works with the server's rights and is asked one thing at a
 * time; a question that takes too long ends it, and with it the logins that it had begun.
 */

import type { Context } from '../expand/context.ts';
import { makePerl, type Perl } from '../expand/perl-process.ts';
import * as clock from '../lib/clock.ts';
import { Cache } from '../lib/lru.ts';
import { gssapiProgram } from './gssapi-program.ts';

/** Whose keys are used; an empty file stands for that of the system. */
export interface Acceptor {
  readonly keytab: string;
  /** `smtp@host.example` */
  readonly service: string;
}

export type GssAnswer = { readonly letter: string; readonly text: string } | { readonly error: string };

/** Milliseconds for one question. */
const patience = 20_000;

const helpers = new Map<string, Perl>();

function helperFor(environment: ReadonlyMap<string, string>): Perl {
  const key = JSON.stringify([...environment]);
  let helper = helpers.get(key);
  if (helper === undefined) {
    // that of a configuration which is not used any more
    for (const [old, each] of helpers) {
      each.end();
      helpers.delete(old);
    }
    helper = makePerl({
      startup: gssapiProgram,
      taintMode: false,
      environment: { PATH: '/usr/bin:/bin', ...Object.fromEntries(environment) },
      patience,
      expand: (text) => ({ ok: false, kind: 'failed', message: text }),
      log: () => undefined,
      debug: () => undefined,
    });
    helpers.set(key, helper);
  }
  return helper;
}

async function ask(name: string, args: readonly string[], context: Context): Promise<GssAnswer> {
  const answer = await helperFor(context.settings.environment).call(name, args, context);
  if (answer.outcome !== 'returned') {
    return { error: answer.outcome === 'failed' ? answer.message.replace(/\s+$/, '') : 'Kerberos has no answer' };
  }
  const letter = answer.text.slice(0, 1);
  const text = answer.text.slice(1);
  return letter === 'E' ? { error: text } : { letter, text };
}

let logins = 0;

/** One client's login. Whoever begins one ends it. */
export class GssLogin {
  readonly #id = String(++logins);
  readonly #acceptor: Acceptor;
  readonly #context: Context;

  constructor(acceptor: Acceptor, context: Context) {
    this.#acceptor = acceptor;
    this.#context = context;
  }

  accept(token: string): Promise<GssAnswer> {
    const { keytab, service } = this.#acceptor;
    return ask('gss_accept', [this.#id, keytab, service, token], this.#context);
  }

  wrap(text: string): Promise<GssAnswer> {
    return ask('gss_wrap', [this.#id, text], this.#context);
  }

  /** Who the client is, a NUL, and whom it wants to act as. */
  unwrap(text: string): Promise<GssAnswer> {
    return ask('gss_unwrap', [this.#id, text], this.#context);
  }

  async end(): Promise<void> {
    await ask('gss_end', [this.#id], this.#context);
  }
}

/** Seconds for which it stays known whether clients can be served. */
const known = 60;

const standings = new Cache<string, { readonly until: number; readonly why: string | undefined }>(100);

/** What to do about what is missing. */
const remedies: readonly (readonly [RegExp, string])[] = [
  [/^the Perl module GSSAPI is not installed/, ' (Debian: apt install libgssapi-perl)'],
  [/^perl is not installed/, ' (Debian: apt install perl libgssapi-perl)'],
  [/[Kk]ey table/, ' (server_keytab must name a file with the key, which the server may read)'],
];

/** Why no client can be served, with a remedy; nothing when all is well. */
export async function obstacle(acceptor: Acceptor, context: Context): Promise<string | undefined> {
  const { keytab, service } = acceptor;
  const key = JSON.stringify(acceptor);
  const found = standings.get(key);
  if (found !== undefined && found.until > clock.elapsed()) return found.why;
  const answer = await ask('gss_ready', [keytab, service], context);
  const remedy = 'error' in answer ? remedies.find(([pattern]) => pattern.test(answer.error))?.[1] : undefined;
  const why = 'error' in answer ? `${answer.error}${remedy ?? ''}` : undefined;
  standings.set(key, { until: clock.elapsed() + known * 1000, why });
  return why;
}
