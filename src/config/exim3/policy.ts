/**
 * What Exim 3 had options for and Exim 4 has access control lists for: who may send to whom. Mail to local domains and to
 * `relay_domains` is taken, and mail from hosts that may relay; all else is refused. No exception from a refusal lets
 * anything in: exceptions are conditions of the refusals they belong to, and stand before no other rule.
 */

import { splitList } from '../../lib/list-text.ts';
import { type OldListKind, type Purpose, withItems } from './lists.ts';
import type { Output } from './output.ts';
import { commands, droppedOptions, isEverybody } from './policy-options.ts';
import type { OldSetting } from './text.ts';
import { type Names, unquoted } from './values.ts';

interface Statement {
  readonly verb: 'accept' | 'deny' | 'require' | 'warn';
  /** Conditions and modifiers in their order. */
  readonly clauses: readonly string[];
  /** The option it comes from. */
  readonly from: OldSetting | undefined;
}

export class Policy {
  readonly #settings: ReadonlyMap<string, OldSetting>;
  readonly #names: Names;
  readonly #output: Output;

  constructor(settings: ReadonlyMap<string, OldSetting>, names: Names, output: Output) {
    this.#settings = settings;
    this.#names = names;
    this.#output = output;
  }

  #isOn(name: string, standard: boolean): boolean {
    return this.#settings.get(name)?.on ?? standard;
  }

  /** The list of an option in its new form; what was changed, and what cannot be, is told. */
  #list(setting: OldSetting, kind: OldListKind, purpose: Purpose): string {
    const { text, changes, problems } = this.#names.list(setting, kind, purpose);
    const { name, line } = setting;
    for (const change of changes) this.#output.remark(`${name}: ${change}`, line.number);
    for (const problem of problems) this.#output.error(problem, line.number, 'take it out, or name the host alone');
    return text;
  }

  /** A clause with a list, when its option is set: `hosts = …`. */
  #clause(word: string, name: string, kind: OldListKind, purpose: Purpose = 'other'): string[] {
    const setting = this.#settings.get(name);
    return setting?.value === undefined ? [] : [`${word} = ${this.#list(setting, kind, purpose)}`];
  }

  /** Whether an option has a list that is not empty. */
  #has(name: string): boolean {
    const { plain } = this.#settings.get(name) ?? {};
    return plain !== undefined && unquoted(plain) !== '';
  }

  /** Settings of the main section that say which lists there are. */
  writeSettings(): void {
    const output = this.#output;
    output.write('acl_smtp_rcpt = check_recipient', 0);
    output.write('acl_smtp_data = check_message', 0);
    for (const [name, , acl] of commands) {
      if (this.#isUsed(name))
        output.write(`acl_smtp_${acl} = check_${acl}`, this.#settings.get(name)?.line.number ?? 0);
    }
    const relay = this.#settings.get('host_accept_relay');
    if (relay?.value !== undefined) {
      const text = this.#list(relay, 'sender host', 'accept');
      output.write(`hostlist relay_from_hosts = ${text}`, relay.line.number);
      if (isEverybody(unquoted(relay.plain ?? ''))) {
        output.warning('host_accept_relay lets every host relay: this is an open relay', relay.line.number);
      }
    }
    const domains = this.#settings.get('relay_domains');
    const ownMx = this.#isOn('relay_domains_include_local_mx', false) ? ['@mx_any'] : [];
    if (domains?.value !== undefined || ownMx.length > 0) {
      const listed = domains?.value === undefined ? '' : this.#list(domains, 'domain', 'other');
      output.write(`domainlist relay_to_domains = ${withItems(listed, ownMx)}`, domains?.line.number ?? 0);
    }
  }

  #isUsed(name: string): boolean {
    return name === 'smtp_verify' ? this.#isOn(name, false) : this.#has(name);
  }

  /** The section of access control lists. */
  writeLists(): void {
    const output = this.#output;
    for (const name of droppedOptions) {
      const setting = this.#settings.get(name);
      if (setting !== undefined) output.remark(`${name}: there is no such thing any more`, setting.line.number);
    }
    this.#writeList('check_recipient', [
      ...this.#connection(),
      ...this.#refusals(),
      ...this.#verification(),
      ...this.#relaying(),
    ]);
    this.#writeList('check_message', [...this.#headers(), { verb: 'accept', clauses: [], from: undefined }]);
    for (const [name, kind, acl] of commands) {
      if (!this.#isUsed(name)) continue;
      const from = this.#settings.get(name);
      if (acl === 'auth') {
        const refusal = [...this.#clause('hosts', name, 'sender host', 'reject'), '!encrypted = *'];
        this.#writeList('check_auth', [
          { verb: 'deny', clauses: ['message = encryption required', ...refusal], from },
          { verb: 'accept', clauses: [], from },
        ]);
        continue;
      }
      const clauses = kind === undefined ? [] : this.#clause('hosts', name, kind, 'accept');
      this.#writeList(`check_${acl}`, [...this.#authentication(), { verb: 'accept', clauses, from }]);
    }
  }

  #writeList(name: string, statements: readonly Statement[]): void {
    this.#output.write(`\n${name}:`, 0);
    for (const { verb, clauses, from } of statements) {
      const number = from?.line.number ?? 0;
      if (from !== undefined) this.#output.remark(from.name, number);
      const [first = '', ...others] = clauses;
      this.#output.write(`  ${verb.padEnd(7)} ${first}`.replace(/ +$/, ''), number);
      for (const clause of others) this.#output.write(`          ${clause}`, number);
    }
  }

  #authentication(): Statement[] {
    const from = this.#settings.get('auth_hosts');
    if (!this.#has('auth_hosts')) return [];
    const hosts = this.#clause('hosts', 'auth_hosts', 'sender host', 'reject');
    return [{ verb: 'deny', clauses: ['message = authentication required', ...hosts, '!authenticated = *'], from }];
  }

  /** What a connection must have before anything is taken from it. */
  #connection(): Statement[] {
    const statements: Statement[] = [
      // a local process that speaks SMTP (-bs) was never checked
      { verb: 'accept', clauses: ['hosts = :'], from: undefined },
      ...this.#authentication(),
    ];
    if (this.#has('tls_hosts')) {
      const hosts = this.#clause('hosts', 'tls_hosts', 'sender host', 'reject');
      const clauses = ['message = encryption required', ...hosts, '!encrypted = *'];
      statements.push({ verb: 'deny', clauses, from: this.#settings.get('tls_hosts') });
    }
    const ciphers = this.#settings.get('tls_verify_ciphers');
    if (ciphers !== undefined && this.#has('tls_verify_ciphers')) {
      const listed = `!encrypted = ${this.#names.text(ciphers)}`;
      statements.push({
        verb: 'deny',
        clauses: ['message = cipher not permitted', 'encrypted = *', listed],
        from: ciphers,
      });
    }
    return statements;
  }

  /** Recipients and senders that refusals of recipients do not hold for. */
  #exceptions(): string[] {
    return [
      ...(this.#has('recipients_reject_except')
        ? this.#clause('!recipients', 'recipients_reject_except', 'recipient')
        : []),
      ...(this.#has('recipients_reject_except_senders')
        ? this.#clause('!senders', 'recipients_reject_except_senders', 'sender')
        : []),
    ];
  }

  #refusals(): Statement[] {
    const statements: Statement[] = [];
    const refuse = (name: string, clauses: readonly string[]): void => {
      statements.push({ verb: 'deny', clauses, from: this.#settings.get(name) });
    };
    if (this.#has('sender_reject')) {
      refuse('sender_reject', ['message = sender rejected', ...this.#clause('senders', 'sender_reject', 'sender')]);
    }
    if (this.#has('sender_reject_recipients')) {
      const senders = this.#clause('senders', 'sender_reject_recipients', 'sender');
      refuse('sender_reject_recipients', ['message = sender rejected', ...senders, ...this.#exceptions()]);
    }
    if (this.#has('host_reject_recipients')) {
      const hosts = this.#clause('hosts', 'host_reject_recipients', 'sender host', 'reject');
      refuse('host_reject_recipients', ['message = host rejected', ...hosts, ...this.#exceptions()]);
    }
    return [...statements, ...this.#blackLists()];
  }

  #blackLists(): Statement[] {
    const from = this.#settings.get('rbl_domains');
    if (from === undefined || !this.#has('rbl_domains')) return [];
    const hosts = this.#clause('hosts', 'rbl_hosts', 'sender host');
    const statements: Statement[] = [];
    const whites: string[] = [];
    for (const item of splitList(this.#names.text(from)).items) {
      const [domain = '', ...options] = item.split('/');
      if (options.includes('accept')) {
        whites.push(`!dnslists = ${domain}`);
        continue;
      }
      const relays =
        options.includes('skiprelay') && this.#has('host_accept_relay') ? ['!hosts = +relay_from_hosts'] : [];
      const clauses = [...hosts, ...relays, ...whites, `dnslists = ${domain}`];
      const rejects =
        options.includes('reject') || (!options.includes('warn') && this.#isOn('rbl_reject_recipients', true));
      if (rejects) {
        const message = 'message = host is listed in $dnslist_domain';
        statements.push({ verb: 'deny', clauses: [message, ...clauses, ...this.#exceptions()], from });
      } else {
        const header = 'add_header = X-RBL-Warning: ($dnslist_domain) $dnslist_text';
        const adds = this.#isOn('rbl_warn_header', true) ? [header] : [];
        statements.push({ verb: 'warn', clauses: [...clauses, ...adds], from });
      }
    }
    return statements;
  }

  #verification(): Statement[] {
    const statements: Statement[] = [];
    const sender = ['sender_verify', 'sender_try_verify'].find((name) => this.#isOn(name, false));
    const verb = this.#isOn('sender_verify_reject', true) ? 'deny' : 'warn';
    const message = verb === 'deny' ? ['message = sender verification failed'] : [];
    if (sender !== undefined) {
      const how = sender === 'sender_try_verify' ? 'sender/defer_ok' : 'sender';
      const hosts = this.#clause('hosts', 'sender_verify_hosts', 'sender host');
      statements.push({ verb, clauses: [...message, ...hosts, `!verify = ${how}`], from: this.#settings.get(sender) });
    }
    if (this.#has('sender_verify_hosts_callback')) {
      const hosts = this.#clause('hosts', 'sender_verify_hosts_callback', 'sender host', 'reject');
      const domains = this.#clause('sender_domains', 'sender_verify_callback_domains', 'domain');
      const timeout = this.#settings.get('sender_verify_callback_timeout')?.value ?? '30s';
      const clauses = [...message, ...hosts, ...domains, `!verify = sender/callout=${timeout}`];
      statements.push({ verb, clauses, from: this.#settings.get('sender_verify_hosts_callback') });
    }
    const receiver = ['receiver_verify', 'receiver_try_verify'].find((name) => this.#isOn(name, false));
    if (receiver !== undefined) {
      const how = receiver === 'receiver_try_verify' ? 'recipient/defer_ok' : 'recipient';
      const clauses = [
        'message = unrouteable address',
        ...this.#clause('hosts', 'receiver_verify_hosts', 'sender host'),
        ...this.#clause('senders', 'receiver_verify_senders', 'sender'),
        ...this.#clause('recipients', 'receiver_verify_addresses', 'recipient'),
        `!verify = ${how}`,
      ];
      statements.push({ verb: 'deny', clauses, from: this.#settings.get(receiver) });
    }
    return statements;
  }

  /** Which domains and hosts mail is taken for and from; whatever comes to the end is refused. */
  #relaying(): Statement[] {
    const statements: Statement[] = [
      { verb: 'accept', clauses: ['domains = +local_domains'], from: this.#settings.get('local_domains') },
    ];
    const ownMx = this.#isOn('relay_domains_include_local_mx', false);
    if (this.#settings.get('relay_domains')?.value !== undefined || ownMx) {
      const from = this.#settings.get('relay_domains') ?? this.#settings.get('relay_domains_include_local_mx');
      statements.push({ verb: 'accept', clauses: ['domains = +relay_to_domains'], from });
    }
    if (this.#has('sender_address_relay')) {
      const from = this.#settings.get('sender_address_relay');
      const hosts = this.#clause('hosts', 'sender_address_relay_hosts', 'sender host');
      const either = this.#isOn('relay_match_host_or_sender', false);
      const senders = this.#clause(either ? 'senders' : '!senders', 'sender_address_relay', 'sender');
      if (either) statements.push({ verb: 'accept', clauses: [...hosts, ...senders], from });
      else statements.push({ verb: 'deny', clauses: ['message = sender may not relay', ...hosts, ...senders], from });
    }
    const relays = [
      { name: 'host_accept_relay', proof: [] },
      { name: 'host_auth_accept_relay', proof: ['authenticated = *'] },
      { name: 'tls_host_accept_relay', proof: ['encrypted = *'] },
    ];
    for (const { name, proof } of relays) {
      if (!this.#has(name)) continue;
      const isPlain = name === 'host_accept_relay';
      const hosts = isPlain ? ['hosts = +relay_from_hosts'] : this.#clause('hosts', name, 'sender host', 'accept');
      statements.push({ verb: 'accept', clauses: [...hosts, ...proof], from: this.#settings.get(name) });
    }
    statements.push({ verb: 'deny', clauses: ['message = relay not permitted'], from: undefined });
    return statements;
  }

  #headers(): Statement[] {
    const fails = this.#isOn('headers_checks_fail', true);
    const checks: readonly (readonly [string, string, readonly string[]])[] = [
      ['headers_check_syntax', 'header_syntax', []],
      ['headers_sender_verify', 'header_sender', []],
      ['headers_sender_verify_errmsg', 'header_sender', ['senders = :']],
    ];
    return checks.flatMap(([name, check, clauses]): Statement[] => {
      if (!this.#isOn(name, false)) return [];
      return [
        { verb: fails ? 'deny' : 'warn', clauses: [...clauses, `!verify = ${check}`], from: this.#settings.get(name) },
      ];
    });
  }
}
