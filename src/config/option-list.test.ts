/**
 * The tables of options against the list of options that comes with Exim (names, types, standard values). The list is of
 * version 4.95 and in places older than that; where it differs from the program of 4.96, the reason stands here.
 */

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { authenticatorCommonOptions } from '../authenticators/common-options.ts';
import { cramMd5Options } from '../authenticators/cram-md5-options.ts';
import { cyrusSaslOptions } from '../authenticators/cyrus-sasl-options.ts';
import { externalOptions } from '../authenticators/external-options.ts';
import { gsaslOptions } from '../authenticators/gsasl-options.ts';
import { heimdalGssapiOptions } from '../authenticators/heimdal-gssapi-options.ts';
import { plaintextOptions } from '../authenticators/plaintext-options.ts';
import { tlsOptions } from '../authenticators/tls-options.ts';
import type { OptionRow, OptionTable } from '../options/table.ts';
import { routerCommonOptions } from '../routers/common-options.ts';
import { dnslookupOptions } from '../routers/dnslookup-options.ts';
import { iplookupOptions } from '../routers/iplookup-options.ts';
import { manualrouteOptions } from '../routers/manualroute-options.ts';
import { queryprogramOptions } from '../routers/queryprogram-options.ts';
import { redirectOptions } from '../routers/redirect-options.ts';
import { appendfileOptions } from '../transports/appendfile-options.ts';
import { autoreplyOptions } from '../transports/autoreply-options.ts';
import { transportCommonOptions } from '../transports/common-options.ts';
import { lmtpOptions } from '../transports/lmtp-options.ts';
import { pipeOptions } from '../transports/pipe-options.ts';
import { smtpOptions } from '../transports/smtp-options.ts';
import { mainOptions } from './main-options.ts';

const tables: Readonly<Record<string, OptionTable>> = {
  main: mainOptions,
  routers: routerCommonOptions,
  dnslookup: dnslookupOptions,
  iplookup: iplookupOptions,
  manualroute: manualrouteOptions,
  queryprogram: queryprogramOptions,
  redirect: redirectOptions,
  transports: transportCommonOptions,
  appendfile: appendfileOptions,
  autoreply: autoreplyOptions,
  lmtp: lmtpOptions,
  pipe: pipeOptions,
  smtp: smtpOptions,
  authenticators: authenticatorCommonOptions,
  cram_md5: cramMd5Options,
  cyrus_sasl: cyrusSaslOptions,
  external: externalOptions,
  gsasl: gsaslOptions,
  heimdal_gssapi: heimdalGssapiOptions,
  plaintext: plaintextOptions,
  tls: tlsOptions,
};

interface Entry {
  readonly key: string;
  readonly name: string;
  readonly type: string;
  readonly standard: string;
  readonly row: OptionRow<unknown> | undefined;
}

const entries: readonly Entry[] = readFileSync(
  new URL('../../test/fixtures/option-list.tsv', import.meta.url),
  'latin1',
)
  .trimEnd()
  .split('\n')
  .slice(1)
  .map((line) => {
    const [where = '', name = '', type = '', standard = ''] = line.split('\t');
    return { key: `${where}.${name}`, name, type, standard, row: tables[where]?.[name] };
  });

/** Reasons, and the entries of the list that they are good for. */
type Reasons = Readonly<Record<string, string>>;

function keysOf(reasons: Reasons): string[] {
  return Object.values(reasons)
    .flatMap((keys) => keys.trim().split(/\s+/))
    .sort();
}

const missing: Reasons = {
  'refused as unknown, as the program is older or newer than the entry': `
    main.dns_dane_ok main.gnutls_require_kx main.gnutls_require_mac main.gnutls_require_protocols
    smtp.authenticate_hosts smtp.gnutls_require_kx smtp.gnutls_require_mac smtp.gnutls_require_protocols
    smtp.tcp_nodelay redirect.forbid_fail localuser.match_directory`,
  'an option of the smtp transport alone': 'main.tls_sni',
  'its name is server_debug_print': 'authenticators.debug_print',
  'misspelt: max_username_length, pipelining_connect_advertise_hosts, tls_remember_esmtp': `
    main.max_user_name_length main.pipelining__connect_advertise_hosts main.tls_remember_emstp`,
  'another name of bounce_return_size_limit': 'main.return_size_limit',
  'another name of two options, the one for recipients and the one for senders': 'routers.verify routers.fail_verify',
};

const otherTypes: Reasons = {
  'the manual of 4.96 has it expanded': `
    main.dmarc_forensic_sender main.localhost_number main.pid_file_path main.spool_directory main.system_filter
    main.system_filter_directory_transport main.system_filter_file_transport main.system_filter_pipe_transport
    main.system_filter_reply_transport main.unknown_login routers.translate_ip_address
    routers.transport_current_directory routers.transport_home_directory redirect.data transports.current_directory
    transports.transport_filter appendfile.batch_id lmtp.batch_id pipe.batch_id pipe.path smtp.dscp
    smtp.host_name_extract smtp.port cyrus_sasl.server_realm gsasl.server_password gsasl.server_realm
    heimdal_gssapi.server_service`,
  'its standard value is to be expanded': 'main.notifier_socket',
  'a user or group is looked up when the configuration is read': `
    main.exim_group main.exim_user main.system_filter_group main.system_filter_user routers.group routers.user
    transports.group transports.user queryprogram.command_group queryprogram.command_user`,
  'its value is a list': `
    main.daemon_smtp_ports main.dkim_verify_hashes main.dkim_verify_keytypes main.extra_local_interfaces
    main.ibase_servers main.oracle_servers main.tls_on_connect_ports routers.local_part_prefix
    routers.local_part_suffix iplookup.hosts`,
  'a list that may be set several times': `
    routers.headers_add routers.headers_remove routers.set transports.headers_add transports.headers_remove`,
  'the program takes any text, which is expanded to give a number or a time': `
    main.message_size_limit main.queue_run_max main.smtp_accept_max_per_connection main.smtp_accept_max_per_host
    transports.message_size_limit appendfile.quota_filecount autoreply.once_repeat smtp.dkim_timestamps
    smtp.utf8_downconvert`,
  'the program takes a time or a text that is expanded to give one': 'main.smtp_receive_timeout',
  'the program takes a switch or a text that is expanded to give one': `
    routers.more routers.unseen smtp.multi_domain smtp.retry_include_ip_address`,
  'the program takes a list or text where the entry has a switch': `
    main.dns_ipv4_lookup main.freeze_tell main.untrusted_set_sender`,
  'the manual of 4.96 names the kind of list': 'main.dkim_verify_signers routers.local_parts',
  'expanded first and split then': 'main.log_file_path smtp.interface',
  'the program takes a number of seconds and refuses a unit': 'main.sqlite_lock_timeout',
};

const otherStandards: Reasons = {
  'the program shows another': `
    main.acl_smtp_data_prdr main.check_log_inodes main.check_log_space main.check_spool_inodes main.check_spool_space
    main.daemon_smtp_ports main.dkim_verify_hashes main.dns_cname_loops main.helo_lookup_domains
    main.ignore_bounce_errors_after main.local_interfaces main.remote_max_parallel main.rfc1413_hosts
    main.rfc1413_query_timeout main.smtp_connect_backlog main.spf_smtp_comment_template main.tls_alpn
    main.tls_verify_certificates queryprogram.current_directory appendfile.batch_max lmtp.batch_max pipe.batch_max
    pipe.message_prefix pipe.message_suffix pipe.path smtp.connect_timeout smtp.host_name_extract
    smtp.hosts_noproxy_tls smtp.hosts_try_dane smtp.hosts_try_fastopen smtp.hosts_try_prdr
    smtp.tls_verify_certificates smtp.utf8_downconvert`,
  'the program shows none, though it works with the one of the entry': `
    main.syslog_processname iplookup.protocol main.smtp_accept_max_per_host transports.message_size_limit
    appendfile.quota_filecount appendfile.quota_warn_threshold autoreply.once_repeat smtp.dkim_sign_headers
    cyrus_sasl.server_mech gsasl.server_mech`,
  'the program has another type of option': `
    main.dns_ipv4_lookup main.freeze_tell main.untrusted_set_sender main.sqlite_lock_timeout`,
  'the entry is no value but says how it comes about': 'main.header_line_maxsize main.ldap_version',
  'the program uses GnuTLS, which has no such switches': 'main.openssl_options',
  'the manual of 4.96 gives one': 'gsasl.server_scram_iter',
};

/** How a type of the list is called in the tables. */
const typeNames: ReadonlyMap<string, string> = new Map([
  ['not given', 'boolean'],
  ['string list*', 'string*'],
  ['host list', 'host list*'],
  ['domain list', 'domain list*'],
  ['address list', 'address list*'],
]);

/** The line for a value of the list, as the row itself shows it. */
function lineFor({ name, standard }: Entry, row: OptionRow<unknown>): string {
  if (standard === 'unset' || standard === 'empty') return row.isSwitch ? row.print(name, false) : '';
  const reading = row.read(standard, name);
  return 'error' in reading ? reading.error : row.print(name, reading.value);
}

function standardLine({ name }: Entry, row: OptionRow<unknown>): string {
  return row.print(name, row.standard).replace(/^\w+ = ?$/, '');
}

describe('the list of options that comes with Exim', () => {
  it('is whole', () => {
    assert.equal(entries.length, 611);
    assert.equal(new Set(entries.map(({ key }) => key)).size, 611);
  });

  it('names no option that the tables lack, but for known reasons', () => {
    assert.deepEqual(entries.flatMap(({ key, row }) => (row === undefined ? [key] : [])).sort(), keysOf(missing));
  });

  it('gives options the types of the tables, but for known reasons', () => {
    const differing = entries.flatMap(({ key, type, row }) =>
      row === undefined || row.type === (typeNames.get(type) ?? type) ? [] : [key],
    );
    assert.deepEqual(differing.sort(), keysOf(otherTypes));
  });

  it('gives options the standard values of the tables, but for known reasons', () => {
    const differing = entries.flatMap((entry) => {
      const { key, standard, row } = entry;
      if (row === undefined || standard === 'varies' || standard === 'build') return [];
      return standardLine(entry, row) === lineFor(entry, row) ? [] : [key];
    });
    assert.deepEqual(differing.sort(), keysOf(otherStandards));
  });
});
