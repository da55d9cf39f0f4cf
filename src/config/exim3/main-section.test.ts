/** Options of the main section: what is written for each that Exim 4 does not have, or has with another meaning. */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { has, translate } from './test-translate.ts';

describe('options of the main section', () => {
  const rows: readonly (readonly [string, ...string[]])[] = [
    [
      '',
      'domainlist local_domains = @',
      'message_size_limit = 0',
      'allow_domain_literals = true',
      'remote_max_parallel = 1',
    ],
    ['local_domains = a.b : ^c\\d', 'domainlist local_domains = a.b : \\N^c\\d\\N'],
    [
      'local_domains = a.b\nlocal_domains_include_host\nlocal_domains_include_host_literals',
      'domainlist local_domains = a.b : @ : @[]',
    ],
    ['accept_timeout = 5m', 'receive_timeout = 5m'],
    ['daemon_smtp_service = smtp', 'daemon_smtp_port = smtp'],
    [
      'errmsg_file = /a\nerrmsg_text = to $errmsg_recipient\nwarnmsg_file = /b',
      'bounce_message_file = /a',
      'bounce_message_text = to $bounce_recipient',
      'warn_message_file = /b',
    ],
    ['helo_verify = 10.0.0.1', 'helo_verify_hosts = 10.0.0.1'],
    ['helo_strict_syntax', 'no: helo_accept_junk_hosts = *'],
    ['no_helo_strict_syntax', 'helo_accept_junk_hosts = *'],
    ['ignore_errmsg_errors', 'ignore_bounce_errors_after = 0s'],
    ['ignore_errmsg_errors_after = 3d', 'ignore_bounce_errors_after = 3d'],
    ['ignore_errmsg_errors_after = 0s', 'no: ignore_bounce_errors_after = 0s'],
    ['message_filter = /f\nmessage_filter_user = mail', 'system_filter = /f', 'system_filter_user = mail'],
    ['queue_remote_domains = a.b', 'queue_domains = ! +local_domains : a.b'],
    ['receiver_unqualified_hosts = 10.0.0.1', 'recipient_unqualified_hosts = 10.0.0.1'],
    ['remote_sort = a.b', 'remote_sort_domains = a.b'],
    ['errors_address = a@b\nfreeze_tell_mailmaster', 'freeze_tell = a@b'],
    ['security = unprivileged', 'deliver_drop_privilege = true'],
    ['security = setuid', 'no: deliver_drop_privilege = true'],
    ['forbid_domain_literals', 'allow_domain_literals = false'],
    ['forbid_domain_literals = no', 'allow_domain_literals = true'],
    ['no_dns_check_names', 'dns_check_names_pattern ='],
    ['timestamps_utc', 'timezone = utc'],
    ['dns_ipv4_lookup\nuntrusted_set_sender', 'dns_ipv4_lookup = *', 'untrusted_set_sender = *'],
    [
      'deliver_load_max = 3\nqueue_only_load = 5',
      'queue_only_load = 3',
      'deliver_queue_load_max = 3',
      'no: queue_only_load = 5',
    ],
    ['deliver_load_max = 8\nqueue_only_load = 5', 'queue_only_load = 5', 'deliver_queue_load_max = 8'],
    [
      'log_level = 6\nlog_subject\nlog_all_parents\nno_tls_log_cipher',
      'log_selector = +subject +all_parents -tls_cipher',
    ],
    ['host_reject = 10.0.0.1', 'host_reject_connection = 10.0.0.1'],
    ['errors_copy = ^a@b$ c@d', 'errors_copy = \\N^a@b$\\N c@d'],
    ['hide mysql_servers = a/b/c/d', 'hide mysql_servers = a/b/c/d'],
    ['LIST = ^a : b\nhold_domains = LIST', 'LIST = ^a : b', 'hold_domains = \\N^a\\N : b'],
    ['LIST = a : b\nhold_domains = LIST : c', 'hold_domains = LIST : c'],
  ];
  for (const [old, ...wanted] of rows) {
    it(old === '' ? '(what held when nothing was said)' : old.replaceAll('\n', ', '), () => {
      const { lines, told } = translate({ main: old });
      has(lines, wanted);
      assert.deepEqual(told, []);
    });
  }

  it('are told in a remark when they are gone', () => {
    const gone =
      'always_bcc debug_level kill_ip_options log_ip_options log_refused_recipients message_size_limit_count_recipients rbl_log_headers refuse_ip_options sender_verify_batch sender_verify_fixup sender_verify_max_retry_rate nobody_user collapse_source_routes prohibition_message'.split(
        ' ',
      );
    const { text, lines } = translate({ main: gone.map((name) => `${name} = 1`).join('\n') });
    for (const name of gone) {
      assert.match(text, new RegExp(`^# Exim 3: ${name} = 1: `, 'm'));
      assert.ok(!lines.some((line) => line.startsWith(name)), name);
    }
  });
});
