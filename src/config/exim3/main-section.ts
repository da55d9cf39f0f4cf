/** The main section: what became of each option of Exim 3 that Exim 4 does not have, or has with another meaning. */

import { splitList } from '../../lib/list-text.ts';
import { trim } from '../../lib/octets.ts';
import { withItems } from './lists.ts';
import { logWords } from './log-selector.ts';
import { convertListOption, everything, type Job, type Rule, replace, type Settings } from './main-job.ts';
import { type Output, shown } from './output.ts';
import { policyNames } from './policy-options.ts';
import { isMacroDefinition, type OldLine, type OldSetting, settingOf } from './text.ts';
import { convertValue, type Names } from './values.ts';

const gone = (why: string): Rule => ({ gone: why });
const always = gone('it is always so');
const byAcl = gone('an access control list does it, see below');

const rules: ReadonlyMap<string, Rule> = new Map<string, Rule>([
  ['accept_timeout', { to: 'receive_timeout' }],
  ['always_bcc', gone('an empty Bcc: is added where a message has no recipients in its header')],
  ['auth_always_advertise', (job) => advertise(job)],
  ['collapse_source_routes', gone('it has done nothing since 3.10')],
  ['daemon_smtp_service', { to: 'daemon_smtp_port' }],
  ['debug_level', gone('debugging output is asked for with -d')],
  ['deliver_load_max', (job) => loadMax(job)],
  [
    'dns_check_names',
    (job) => {
      if (job.setting.on) job.output.remark(`${shown(job.setting)}: ${'it is always so'}`, job.setting.line.number);
      else replace(job, 'dns_check_names_pattern =');
    },
  ],
  ['dns_ipv4_lookup', everything('dns_ipv4_lookup')],
  ['errmsg_file', { to: 'bounce_message_file' }],
  ['errmsg_text', { to: 'bounce_message_text' }],
  ['errors_address', (job) => errorsAddress(job)],
  ['errors_copy', (job) => errorsCopy(job)],
  [
    'forbid_domain_literals',
    (job) => replace(job, `allow_domain_literals = ${job.setting.on ? 'false' : 'true'}`, 'the sense is reversed'),
  ],
  ['freeze_tell_mailmaster', (job) => freezeTell(job)],
  [
    'helo_strict_syntax',
    (job) => {
      if (job.setting.on) job.output.remark(`${shown(job.setting)}: it is the default now`, job.setting.line.number);
      else if (!job.settings.has('helo_accept_junk_hosts')) replace(job, 'helo_accept_junk_hosts = *');
    },
  ],
  ['helo_verify', (job) => convertListOption(job, 'helo_verify_hosts', 'sender host')],
  ['helo_accept_junk_hosts', (job) => convertListOption(job, 'helo_accept_junk_hosts', 'sender host')],
  ['hold_domains', (job) => convertListOption(job, 'hold_domains', 'domain')],
  ['host_lookup', (job) => convertListOption(job, 'host_lookup', 'sender host')],
  ['host_reject', (job) => convertListOption(job, 'host_reject_connection', 'sender host', 'reject')],
  ['ignore_errmsg_errors', (job) => ignoreErrors(job)],
  ['ignore_errmsg_errors_after', (job) => ignoreErrorsAfter(job)],
  ['ignore_fromline_hosts', (job) => convertListOption(job, 'ignore_fromline_hosts', 'sender host')],
  ['kill_ip_options', always],
  ['local_domains', (job) => localDomains(job)],
  ['local_domains_include_host', gone('it is part of the list local_domains')],
  ['local_domains_include_host_literals', gone('it is part of the list local_domains')],
  ['locally_caseless', gone('the routers say caseful_local_part where it was off')],
  ['log_ip_options', gone('calls that set IP options are refused and logged')],
  ['log_level', gone('what is logged is said by log_selector')],
  ['log_queue_run_level', gone('what is logged is said by log_selector')],
  ['log_refused_recipients', gone('refused recipients are in the reject log')],
  ['message_filter', { to: 'system_filter' }],
  ['message_filter_directory_transport', (job) => filterDirectory(job)],
  ['message_filter_directory2_transport', gone('it is part of system_filter_directory_transport')],
  ['message_filter_file_transport', { to: 'system_filter_file_transport' }],
  ['message_filter_group', { to: 'system_filter_group' }],
  ['message_filter_pipe_transport', { to: 'system_filter_pipe_transport' }],
  ['message_filter_reply_transport', { to: 'system_filter_reply_transport' }],
  ['message_filter_user', { to: 'system_filter_user' }],
  ['message_size_limit_count_recipients', gone('there is no such thing any more')],
  ['nobody_group', gone('nothing runs as nobody unless it is told to')],
  ['nobody_user', gone('nothing runs as nobody unless it is told to')],
  ['percent_hack_domains', (job) => convertListOption(job, 'percent_hack_domains', 'domain')],
  ['prohibition_message', gone('each refusal of an access control list has a message of its own')],
  ['queue_only_file', (job) => queueOnlyFile(job)],
  ['queue_only_load', queueOnlyLoad],
  ['queue_remote_domains', (job) => queueDomains(job)],
  ['queue_smtp_domains', (job) => convertListOption(job, 'queue_smtp_domains', 'domain')],
  ['receiver_unqualified_hosts', (job) => convertListOption(job, 'recipient_unqualified_hosts', 'sender host')],
  ['refuse_ip_options', always],
  ['remote_sort', (job) => convertListOption(job, 'remote_sort_domains', 'domain')],
  ['rfc1413_hosts', (job) => convertListOption(job, 'rfc1413_hosts', 'sender host')],
  ['security', (job) => security(job)],
  ['sender_unqualified_hosts', (job) => convertListOption(job, 'sender_unqualified_hosts', 'sender host')],
  ['smtp_reserve_hosts', (job) => convertListOption(job, 'smtp_reserve_hosts', 'sender host')],
  [
    'timestamps_utc',
    (job) => {
      if (job.setting.on) replace(job, 'timezone = utc');
      else job.output.remark(`${shown(job.setting)}: it is the default`, job.setting.line.number);
    },
  ],
  ['tls_advertise_hosts', (job) => convertListOption(job, 'tls_advertise_hosts', 'sender host')],
  ['tls_verify_hosts', (job) => convertListOption(job, 'tls_verify_hosts', 'sender host')],
  ['unprivileged', (job) => replace(job, `deliver_drop_privilege = ${job.setting.on ? 'true' : 'false'}`)],
  ['untrusted_set_sender', everything('untrusted_set_sender')],
  ['warnmsg_file', { to: 'warn_message_file' }],
]);

function localDomains(job: Job): void {
  const { setting, settings, output, names } = job;
  const { text, changes, problems } = names.list(setting, 'domain');
  for (const problem of problems) output.error(problem, setting.line.number);
  const all = withItems(text, localExtras(settings));
  replace(job, `domainlist local_domains = ${all}`, changes.join('; ') || undefined);
}

/** Items that switches add to the local domains. */
function localExtras(settings: Settings): string[] {
  return [
    ...(settings.get('local_domains_include_host')?.on === true ? ['@'] : []),
    ...(settings.get('local_domains_include_host_literals')?.on === true ? ['@[]'] : []),
  ];
}

function advertise(job: Job): void {
  if (job.setting.on) {
    job.output.remark(`${shown(job.setting)}: it is the default`, job.setting.line.number);
    return;
  }
  const lists = ['auth_hosts', 'host_auth_accept_relay'].flatMap((name) => {
    const found = job.settings.get(name);
    return found === undefined ? [] : [job.names.list(found, 'sender host').text];
  });
  replace(job, `auth_advertise_hosts = ${lists.join(' : ')}`);
}

/** No delivery at all above that load: neither at once nor by a queue runner. */
function loadMax(job: Job): void {
  const { setting, settings, output } = job;
  const value = setting.value ?? '';
  if (queueLoadIsLower(settings)) output.remark(`${shown(setting)}: queue_only_load is lower`, setting.line.number);
  else replace(job, `queue_only_load = ${value}`);
  if (!settings.has('deliver_queue_load_max')) output.write(`deliver_queue_load_max = ${value}`, setting.line.number);
}

const queueLoadIsLower = (settings: Settings): boolean => {
  const [load, most] = [settings.get('queue_only_load'), settings.get('deliver_load_max')];
  return load !== undefined && (most === undefined || Number(load.plain) <= Number(most.plain));
};

function queueOnlyLoad({ setting, settings, output }: Job): void {
  if (queueLoadIsLower(settings)) output.copy(setting.line.physical);
  else output.remark(`${shown(setting)}: deliver_load_max is lower`, setting.line.number);
}

function errorsAddress({ setting, output }: Job): void {
  output.remark(
    `${shown(setting)}: bounces come from Mailer-Daemon at qualify_domain; freeze_tell has the address for frozen messages`,
    setting.line.number,
  );
}

function freezeTell(job: Job): void {
  const { setting, settings, output, names } = job;
  const address = settings.get('errors_address');
  if (setting.on) replace(job, `freeze_tell = ${address === undefined ? 'postmaster' : names.text(address)}`);
  else output.remark(`${shown(setting)}: it is the default`, setting.line.number);
}

function errorsCopy(job: Job): void {
  const { setting, output, names } = job;
  const items = splitList(names.text(setting)).items.map((item) =>
    item.replace(/^\^[^ \t]*/, (pattern) => `\\N${pattern}\\N`),
  );
  if (items.every((item) => !item.startsWith('\\N'))) output.copy(setting.line.physical);
  else
    replace(
      job,
      `errors_copy = ${items.map((item) => item.replaceAll(':', '::')).join(' : ')}`,
      'patterns are expanded',
    );
}

function ignoreErrors(job: Job): void {
  if (job.setting.on) replace(job, 'ignore_bounce_errors_after = 0s');
  else job.output.remark(`${shown(job.setting)}: it is the default`, job.setting.line.number);
}

function ignoreErrorsAfter(job: Job): void {
  const { setting, settings, output } = job;
  const never = /^0[smhdw]?$/.test(setting.plain ?? '');
  if (settings.get('ignore_errmsg_errors')?.on === true || never) {
    const why = never ? 'nothing is ignored, which is the default' : 'ignore_errmsg_errors says more';
    output.remark(`${shown(setting)}: ${why}`, setting.line.number);
  } else replace(job, `ignore_bounce_errors_after = ${setting.value ?? ''}`);
}

function filterDirectory(job: Job): void {
  const second = job.settings.get('message_filter_directory2_transport');
  const first = job.setting.value ?? '';
  const text = second === undefined ? first : `\${if match{$address_file}{\\N//$\\N}{${second.value ?? ''}}{${first}}}`;
  replace(job, `system_filter_directory_transport = ${text}`);
}

function queueOnlyFile(job: Job): void {
  const { setting, output, names } = job;
  const items = splitList(names.text(setting)).items;
  const kept = items.filter((item) => !item.startsWith('remote/'));
  if (kept.length === items.length) {
    output.copy(setting.line.physical);
    return;
  }
  output.warning('queue_only_file knows no remote/ any more', setting.line.number);
  output.write(`queue_only_file = ${kept.join(' : ')}`, setting.line.number);
}

function queueDomains(job: Job): void {
  const { text, changes } = job.names.list(job.setting, 'domain');
  const why = ['it was for domains that are not local', ...changes].join('; ');
  replace(job, `queue_domains = ! +local_domains : ${text}`, why);
}

function security(job: Job): void {
  if (trim(job.setting.plain ?? '') === 'unprivileged') replace(job, 'deliver_drop_privilege = true');
  else
    job.output.remark(`${shown(job.setting)}: rights are given up wherever that can be done`, job.setting.line.number);
}

/** What Exim 3 did when nothing was set, and Exim 4 does otherwise. */
const defaults: readonly { readonly unless: readonly string[]; readonly text: string }[] = [
  { unless: ['forbid_domain_literals', 'allow_domain_literals'], text: 'allow_domain_literals = true' },
  { unless: ['helo_strict_syntax', 'helo_accept_junk_hosts'], text: 'helo_accept_junk_hosts = *' },
  { unless: ['message_size_limit'], text: 'message_size_limit = 0' },
  { unless: ['remote_max_parallel'], text: 'remote_max_parallel = 1' },
  { unless: ['tls_advertise_hosts'], text: 'tls_advertise_hosts =' },
];

export function convertMain(lines: readonly OldLine[], settings: Settings, output: Output, names: Names): void {
  const selectors: string[] = [];
  for (const line of lines) {
    const setting = isMacroDefinition(line) ? undefined : settingOf(line);
    if (setting === undefined) {
      output.keep(line);
      continue;
    }
    output.keepComments(line);
    const rule = policyNames.has(setting.name) ? byAcl : rules.get(setting.name);
    const word = logWords.get(setting.name);
    if (word !== undefined) {
      selectors.push(`${setting.on ? '+' : '-'}${word}`);
      output.remark(`${shown(setting)}: part of log_selector`, line.number);
    } else if (rule === undefined) keepOption(setting, output, names);
    else if (typeof rule === 'function') rule({ setting, settings, output, names });
    else if ('to' in rule) {
      const { written, remarks } = convertValue(setting, false, false, names);
      replace({ setting, settings, output, names }, `${rule.to} = ${written}`, remarks.join('; ') || undefined);
    } else output.remark(`${shown(setting)}: ${rule.gone}`, line.number);
  }
  output.title('What Exim 3 did when nothing was said.');
  if (!settings.has('local_domains')) {
    const extras = localExtras(settings).filter((item) => item !== '@');
    output.write(`domainlist local_domains = ${['@', ...extras].join(' : ')}`, 0);
  }
  for (const { unless, text } of defaults) if (!unless.some((name) => settings.has(name))) output.write(text, 0);
  if (selectors.length > 0) output.write(`log_selector = ${selectors.join(' ')}`, 0);
}

function keepOption(setting: OldSetting, output: Output, names: Names): void {
  if (setting.value === undefined) {
    output.copy(setting.line.physical);
    return;
  }
  const { written, remarks } = convertValue(setting, false, false, names);
  if (written === setting.value) output.copy(setting.line.physical);
  else {
    output.remark(`${setting.name}: ${remarks.join('; ')}`, setting.line.number);
    output.write(`${setting.hidden ? 'hide ' : ''}${setting.name} = ${written}`, setting.line.number);
  }
}
