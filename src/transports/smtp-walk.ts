/**
 * Walks through a list of hosts until every address has a result that is final: which host is tried, which is passed
 * over, and how many are enough (Exim spec 30.5, 32.1, and delay_after_cutoff in 30.4).
 */

import { errorNumberText } from '../lib/errno.ts';
import { printingLine } from '../lib/escapes.ts';
import type { Host } from '../routers/router.ts';
import type { HostAttempt } from './remote-services.ts';
import { type Attempt, attempt } from './smtp-attempt.ts';
import { interfaceFor } from './smtp-connection.ts';
import { type HostList, withAddresses } from './smtp-hosts.ts';
import { begunFor, identityFor, type KeptConnection } from './smtp-kept.ts';
import { contextOf, isListed, isOn, type ReachableHost, type Results, type SmtpRun, Unusable } from './smtp-run.ts';
import { type DeliveryAddress, deferred, errorCodes, type RemoteResult } from './transport.ts';

/** Why hosts were not tried. */
type Passed = 'waiting' | 'expired' | 'busy' | 'surplus';

type Visit =
  | { readonly outcome: 'passed over'; readonly why: Passed }
  | { readonly outcome: 'looked up'; readonly hosts: readonly Host[] }
  /** `counts` for hosts_max_try. */
  | { readonly outcome: 'tried'; readonly counts: boolean };

/**
 * Tries the hosts for these addresses and enters what became of them; answers for which of them fallback hosts should be
 * tried. @throws Unusable
 */
export async function walk(
  run: SmtpRun,
  list: HostList,
  addresses: readonly DeliveryAddress[],
  results: Results,
): Promise<readonly DeliveryAddress[]> {
  const work = new Walk(run, list, addresses, results);
  await work.run('usual');
  if (work.nothingButExpired && !run.options.delay_after_cutoff) await work.run('after cutoff');
  return work.conclude();
}

/** What the system, or an event_action that objects, is said to have against a host. */
function systemText(code: number): string {
  if (code > 0) return errorNumberText(code);
  return code === errorCodes.objection ? 'Event requests alternate response' : '';
}

/**
 * Delivers over the connection of an earlier message, if it is for one of these hosts and this message wants it as it is;
 * answers whether that was so. @throws Unusable
 */
export async function continueOver(
  run: SmtpRun,
  over: KeptConnection,
  list: HostList,
  addresses: readonly DeliveryAddress[],
  results: Results,
): Promise<boolean> {
  const { name, address, port } = over.host;
  const isOurs = list.hosts.some(
    (host) =>
      host.name === name && (host.address === address || host.address === '') && (host.port ?? run.port) === port,
  );
  if (!isOurs || (await identityFor(run, over.host, over)) !== over.identity) return false;
  const work = new Walk(run, list, addresses, results);
  await work.continue(over);
  work.conclude();
  return true;
}

class Walk {
  readonly #run: SmtpRun;
  readonly #isOwn: boolean;
  readonly #hosts: Host[];
  readonly #results: Results;
  readonly #passed = new Set<Passed>();
  #pending: readonly DeliveryAddress[];
  #tried = 0;
  #unknown = 0;
  /** A host that was tried failed as such. */
  #hasFailed = false;

  constructor(run: SmtpRun, list: HostList, addresses: readonly DeliveryAddress[], results: Results) {
    this.#run = run;
    this.#isOwn = list.isOwn;
    this.#hosts = [...list.hosts];
    this.#pending = addresses;
    this.#results = results;
  }

  /** All hosts have failed for too long, and none was tried now. */
  get nothingButExpired(): boolean {
    return this.#tried + this.#unknown === 0 && this.#passed.size === 1 && this.#passed.has('expired');
  }

  async run(manner: 'usual' | 'after cutoff'): Promise<void> {
    // with 0 nothing would ever be sent
    const most = Math.max(this.#run.options.hosts_max_try, 1);
    const hardLimit = Math.max(this.#run.options.hosts_max_try_hardlimit, 1);
    let counted = 0;
    for (let at = 0; at < this.#hosts.length && this.#pending.length > 0 && this.#tried < hardLimit; ) {
      const host = this.#hosts[at];
      if (host === undefined) return;
      const visit = await this.#visit(host, manner);
      if (visit.outcome === 'looked up') {
        this.#hosts.splice(at, 1, ...visit.hosts);
        continue;
      }
      at++;
      if (visit.outcome === 'passed over') this.#passed.add(visit.why);
      else if (visit.counts && ++counted >= most && at < this.#hosts.length) {
        if (this.#pending.length > 0) this.#passed.add('surplus');
        at = this.#lessPreferred(host, at);
        if (at < 0) return;
        counted--;
      }
    }
  }

  /** Where the first host is that has a higher MX value: one of each value is tried, whatever the limit. */
  #lessPreferred({ mx }: Host, from: number): number {
    return this.#hosts.findIndex((host, i) => i >= from && host.mx !== undefined && mx !== undefined && host.mx > mx);
  }

  async #visit(host: Host, manner: 'usual' | 'after cutoff'): Promise<Visit> {
    const { options, services } = this.#run;
    const reachable: ReachableHost = { ...host, port: host.port ?? this.#run.port };
    if (this.#isOwn && host.address !== '' && !options.allow_localhost) await this.#refuseLocal(reachable);
    const known = await this.#attemptAt(reachable);
    const { from } = known;
    const { due, expired, tried } = await services.standing(known);
    // that a name is not known now is found out anew each time
    if (host.address === '' && manner === 'usual') return { outcome: 'looked up', hosts: await this.#lookUp(known) };
    if (manner === 'usual' ? !due : tried) return { outcome: 'passed over', why: expired ? 'expired' : 'waiting' };
    const alone = await isListed(this.#run, options.serialize_hosts, reachable);
    const release = alone ? await services.connectAlone(reachable) : () => undefined;
    if (release === undefined) return { outcome: 'passed over', why: 'busy' };
    this.#logRefusals();
    this.#tried++;
    const begun = await begunFor(this.#run, reachable, this.#pending);
    const way = { host: reachable, from, begun, release };
    const found = await attempt(this.#run, way, this.#pending, this.#results);
    const givenUp = await this.#note(found, known);
    return { outcome: 'tried', counts: !expired && !givenUp };
  }

  /** Over the connection of an earlier message; no other host is tried. */
  async continue(over: KeptConnection): Promise<void> {
    const { host } = over;
    const known = await this.#attemptAt(host);
    this.#tried++;
    const way = { host, from: known.from, over, release: () => undefined };
    await this.#note(await attempt(this.#run, way, this.#pending, this.#results), known);
    if (this.#hosts.length > 1) this.#passed.add('surplus');
  }

  async #attemptAt(host: ReachableHost): Promise<HostAttempt> {
    const { options, request } = this.#run;
    return {
      host,
      port: host.port,
      byAddress: await isOn(this.#run, 'retry_include_ip_address', options.retry_include_ip_address, host),
      from: host.address === '' ? undefined : await interfaceFor(this.#run, host),
      message: request.messageId,
      domain: this.#pending[0]?.domain ?? '',
    };
  }

  async #refuseLocal(host: ReachableHost): Promise<void> {
    const { services, request } = this.#run;
    if (!(await services.isLocal(host, request.context))) return;
    const what = `${request.transport} transport found host ${host.name} to be local`;
    throw new Unusable(errorCodes.localHost, what);
  }

  async #lookUp(known: HostAttempt): Promise<readonly Host[]> {
    const { name } = known.host;
    const hosts = await withAddresses(this.#run, known.host);
    if (hosts.length > 0) return hosts;
    this.#unknown++;
    const error = { code: errorCodes.unknownHost, message: `failed to lookup IP address for ${name}` };
    await this.#run.services.noteFailure(known, 'host', error);
    for (const address of this.#pending) this.#results.set(address, { outcome: 'deferred', ...error, host: undefined });
    return [];
  }

  /** Recipients that a host would not take now are told in the log only when another host is asked for them. */
  #logRefusals(): void {
    for (const address of this.#pending) {
      const result = this.#results.get(address);
      if (result?.outcome !== 'deferred' || result.code !== errorCodes.rcpt4xx || result.host === undefined) continue;
      this.#log(`${this.#run.services.hostField(result.host)}: ${result.message}`);
    }
  }

  /** Notes what an attempt came to; answers whether the host has failed for longer than its retry rule allows. */
  async #note({ open, verdict, connected }: Attempt, known: HostAttempt): Promise<boolean> {
    const { services } = this.#run;
    this.#pending = open;
    if (verdict === undefined) return false;
    if (
      verdict === 'success' ||
      (verdict.of === 'message' && verdict.outcome === 'failed') ||
      verdict.of === 'recipient'
    ) {
      await services.noteSuccess(known);
      return false;
    }
    if (verdict.of === 'host') this.#hasFailed = true;
    const { code, message } = verdict.error;
    const system = systemText(code);
    const reason = [message, system].filter((part) => part !== '').join(': ');
    // a caller who waits is told by the line about the address
    if (verdict.quiet !== true && !(connected && this.#run.request.allOrNothing))
      this.#log(`${services.hostField(known.host)}${connected || message !== '' ? ':' : ''} ${reason}`);
    if (verdict.of === 'host') {
      const { context } = this.#run.request;
      const facts = contextOf(this.#run, known.host);
      await services.raise(
        { name: 'msg:host:defer', data: code > 0 ? reason : message, code },
        { ...facts, address: context.address },
      );
    }
    const { expired } = await services.noteFailure(known, verdict.of, verdict.error);
    return expired;
  }

  #log(text: string): void {
    this.#run.services.log(printingLine(text, this.#run.request.context.settings.printTopBitCharacters));
  }

  /** Results for those who have none, and for those whose hosts were not all tried; answers who needs other hosts. */
  conclude(): readonly DeliveryAddress[] {
    const hostsLeft = ['waiting', 'busy', 'surplus'].some((why) => this.#passed.has(why as Passed));
    const untried = this.#tried + this.#unknown === 0;
    const open: DeliveryAddress[] = [];
    for (const address of this.#pending) {
      const result = untried ? this.#untriedResult(address) : this.#results.get(address);
      if (result === undefined || result.outcome === 'delivered') continue;
      const outcome = hostsLeft ? 'deferred' : result.outcome;
      this.#results.set(address, { ...result, outcome, hostsLeft });
      if (untried || outcome === 'deferred') open.push(address);
    }
    this.#noteWaiting();
    return open;
  }

  /** Whoever waits because of the hosts goes with the next message that gets through to one of them. */
  #noteWaiting(): void {
    if (!this.#hasFailed && !this.#passed.has('waiting') && !this.#passed.has('busy')) return;
    if (!this.#pending.some((address) => this.#results.get(address)?.outcome === 'deferred')) return;
    this.#run.services.noteWaiting([...new Set(this.#hosts.map(({ name }) => name))]);
  }

  #untriedResult({ domain }: DeliveryAddress): RemoteResult {
    const none = { host: undefined };
    const waiting = (what: string): RemoteResult => ({
      ...deferred(errorCodes.hostRetry, `${what} '${domain}'`),
      ...none,
    });
    if (this.#passed.has('busy')) return waiting('connection limit reached for all hosts for');
    if (this.#passed.has('waiting')) return waiting('retry time not reached for any host for');
    const reason = this.#run.options.delay_after_cutoff
      ? '(and retry time not reached)'
      : 'and were last tried after this message arrived';
    const message = `all hosts for '${domain}' have been failing for a long time ${reason}`;
    return { outcome: 'failed', code: errorCodes.hostRetry, message, ...none };
  }
}
