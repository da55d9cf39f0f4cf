/**
 * The DNS client: asks recursive name servers, follows aliases, remembers answers. For everything that needs records:
 * `hosts.ts` beside it, the lookup `dnsdb`, DANE, SPF and the like.
 *
 * It promises three things. "There is no such record" (`nothing`) is said only when a name server said so; silence,
 * failure and nonsense are `again`, so mail is never bounced for them. One question is asked once however many want to
 * know, and its answer is kept as long as its owner allows. No answer, however hostile, does more than fail.
 */

import { elapsed, now } from '../lib/clock.ts';
import { Cache } from '../lib/lru.ts';
import { lower } from '../lib/octets.ts';
import { type Again, authorityOf, type DnsAnswer, interpret, noSuchName } from './dns-answer.ts';
import { type AnyType, type DataOf, typeNumber } from './dns-records.ts';
import { searched, type Widening } from './dns-search.ts';
import { Servers } from './dns-servers.ts';
import { nameOctets } from './dns-wire.ts';
import { defaultSettings, ResolvConf, type ResolverSettings } from './resolv-conf.ts';

export interface ResolveOptions extends Widening {
  /** Asks for signatures, too (the DO bit). */
  readonly dnssec?: boolean;
  /** In place of those in the settings: for how many milliseconds a server is waited for, and how often. */
  readonly timeout?: number;
  readonly attempts?: number;
  /** Stops waiting; the answer is then `again`. */
  readonly signal?: AbortSignal | undefined;
}

/** What the configuration makes of answers (Exim spec 14: dns_again_means_nonexist, dns_trust_aa, dns_dnssec_ok). */
export interface ResolverPolicy {
  /** Whether a name for which no server has an answer now counts as one that does not exist. */
  isMissing?(name: string): Promise<boolean>;
  /** Whether the server's own zone counts as verified. */
  isTrusted?(zone: string): Promise<boolean>;
  /** Asks for signatures even where nobody wants to know. */
  readonly dnssec?: boolean;
  /** Is told how many milliseconds each question took. */
  onAnswer?(name: string, type: AnyType, took: number): void;
}

const cachedAnswers = 10_000;
/** The cache is to have a bounded size, so answers in more octets are not kept. */
const cachedOctets = 4096;
/** Seconds. */
const maxKept = 86_400;
const failureKept = 5;

interface Question {
  readonly type: AnyType;
  readonly dnssec: boolean;
  readonly settings: ResolverSettings;
}

/** An answer, and for how many seconds it may be remembered. */
interface Fresh {
  readonly answer: DnsAnswer<unknown>;
  readonly keep: number;
}

interface Kept {
  readonly answer: DnsAnswer<unknown>;
  /** Milliseconds since 1970. */
  readonly until: number;
}

function failed(name: string, type: AnyType, { kind, message }: Pick<Again, 'kind' | 'message'>): Fresh {
  return {
    answer: { outcome: 'again', kind, message: `DNS lookup of ${name} (${type}): ${message}` },
    keep: failureKept,
  };
}

const abandoned: Again = { outcome: 'again', kind: 'silence', message: 'the DNS lookup was abandoned' };

function unlessAbandoned<A>(answer: Promise<A>, signal: AbortSignal | undefined): Promise<A | Again> {
  if (signal === undefined) return answer;
  return new Promise((resolve, reject) => {
    const abandon = () => resolve(abandoned);
    signal.addEventListener('abort', abandon, { once: true });
    answer.then(resolve, reject).finally(() => signal.removeEventListener('abort', abandon));
  });
}

export class Resolver {
  readonly #settings: () => ResolverSettings;
  readonly #servers = new Servers();
  readonly #cache = new Cache<string, Kept>(cachedAnswers);
  readonly #running = new Map<string, Promise<DnsAnswer<unknown>>>();
  #last: ResolverSettings | undefined;
  readonly #policy: ResolverPolicy;

  /** Settings that are not given are those of /etc/resolv.conf; with `servers` given, defaults that trust them. */
  constructor(settings: Partial<ResolverSettings> = {}, policy: ResolverPolicy = {}) {
    this.#policy = policy;
    if (settings.servers !== undefined) {
      const fixed = { ...defaultSettings, trustAuthentic: true, ...settings };
      this.#settings = () => fixed;
    } else {
      const file = new ResolvConf();
      let read = file.current();
      let merged = { ...read, ...settings };
      this.#settings = () => {
        const current = file.current();
        if (current !== read) merged = { ...current, ...settings };
        read = current;
        return merged;
      };
    }
  }

  /**
   * Records of a name. A name that cannot be in the DNS, such as one with octets above 127, does not exist. Trouble is
   * told by the answer, never thrown.
   */
  async resolve<T extends AnyType>(name: string, type: T, options: ResolveOptions = {}): Promise<DnsAnswer<DataOf<T>>> {
    if (options.signal?.aborted) return abandoned;
    const settings = this.#settings();
    if (settings !== this.#last) {
      this.#cache.clear();
      this.#servers.forget();
      this.#last = settings;
    }
    const { dnssec = this.#policy.dnssec ?? false, timeout = settings.timeout, attempts = settings.attempts } = options;
    const question = { type, dnssec, settings: { ...settings, timeout, attempts } };
    const answer =
      options.qualifySingle || options.searchParents
        ? searched(name, settings, options, (full) => this.#recall(full, question))
        : this.#recall(name, question);
    // what is kept and what is running is keyed by type, so these are data of type T
    return this.#judged(name, type, (await unlessAbandoned(answer, options.signal)) as DnsAnswer<DataOf<T>>);
  }

  /** The answer as the policy has it. Who looks for TLSA records must know that there was no answer. */
  async #judged<D>(name: string, type: AnyType, answer: DnsAnswer<D>): Promise<DnsAnswer<D>> {
    const { isMissing, isTrusted } = this.#policy;
    if (answer.outcome === 'again') {
      if (isMissing === undefined || answer.kind === 'fault' || type === 'TLSA') return answer;
      return (await isMissing(name)) ? noSuchName : answer;
    }
    const { authority, secure } = answer;
    if (secure || isTrusted === undefined || authority === undefined) return answer;
    return (await isTrusted(authority)) ? { ...answer, secure: true } : answer;
  }

  /** Ends running questions with `again`, and every later one. */
  close(): void {
    this.#servers.close();
    this.#cache.clear();
  }

  /** The answer from the cache, or from a question that is under way, or from a new one. */
  #recall(given: string, question: Question): Promise<DnsAnswer<unknown>> {
    if (given === '' || nameOctets(given) === undefined) return Promise.resolve(noSuchName);
    const name = given.endsWith('.') ? given.slice(0, -1) : given;
    const key = `${question.type} ${question.dnssec} ${lower(name)}`;
    const kept = this.#cache.get(key);
    if (kept !== undefined) {
      const left = Math.ceil((kept.until - now()) / 1000);
      if (left > 0) {
        return Promise.resolve(kept.answer.outcome === 'found' ? { ...kept.answer, ttl: left } : kept.answer);
      }
      this.#cache.delete(key);
    }
    const running = this.#running.get(key);
    if (running !== undefined) return running;
    const begun = elapsed();
    const started = this.#find(name, question)
      .then(({ answer, keep }) => {
        this.#policy.onAnswer?.(name, question.type, elapsed() - begun);
        if (keep > 0) this.#cache.set(key, { answer, until: now() + keep * 1000 });
        return answer;
      })
      .finally(() => this.#running.delete(key));
    this.#running.set(key, started);
    return started;
  }

  /** Asks for the name, and on along its aliases where a server did not. */
  async #find(asked: string, { type, dnssec, settings }: Question): Promise<Fresh> {
    const aliases: string[] = [];
    let name = asked;
    let ttl = maxKept;
    let size = 0;
    let secure = settings.trustAuthentic;
    for (;;) {
      const octets = nameOctets(name);
      if (octets === undefined) return { answer: noSuchName, keep: ttl };
      const reply = await this.#servers.ask({ octets, type: typeNumber(type), dnssec }, settings);
      if (reply.outcome === 'again') return failed(asked, type, reply);
      const { message } = reply;
      secure &&= message.authentic;
      size += message.octets.length;
      const finding = interpret(message, name, type, aliases);
      if (finding.outcome === 'malformed') return failed(asked, type, { kind: 'refused', message: 'malformed answer' });
      if (finding.outcome === 'loop') {
        const loop = { kind: 'fault', message: `CNAME loop for ${asked} encountered` } as const;
        return { answer: { outcome: 'again', ...loop }, keep: failureKept };
      }
      ttl = Math.min(ttl, finding.ttl);
      if (finding.outcome === 'alias') {
        name = finding.name;
        continue;
      }
      const keep = size > cachedOctets ? 0 : ttl;
      const provenance = { secure, ...authorityOf(message) };
      if (finding.outcome === 'nothing') {
        return { answer: { outcome: 'nothing', kind: finding.kind, ...provenance }, keep };
      }
      const { data: records, name: owner } = finding;
      return { answer: { outcome: 'found', records, asked, aliases, name: owner, ttl, ...provenance }, keep };
    }
  }
}
