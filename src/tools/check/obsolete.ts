/** What still works and should be written otherwise: the manual calls it obsolete or deprecated. */

import type { Config } from '../../config/config.ts';
import { type Remark, remark } from './remark.ts';
import { templatesOf } from './templates.ts';
import { nodesOf } from './walk.ts';

const options: ReadonlyMap<string, string> = new Map([
  ['drop_cr', 'it does nothing any more; line ends are always taken as they are meant'],
  ['helo_try_verify_hosts', 'the ACL condition "verify = helo" needs it no longer'],
  ['helo_verify_hosts', 'use the ACL condition "verify = helo"'],
  ['host_reject_connection', 'use an ACL for acl_smtp_connect'],
  ['return_size_limit', 'its name is bounce_return_size_limit'],
  ['gnutls_require_kx', 'use tls_require_ciphers'],
  ['gnutls_require_mac', 'use tls_require_ciphers'],
  ['gnutls_require_protocols', 'use tls_require_ciphers'],
]);

const variables: ReadonlyMap<string, string> = new Map([
  ['interface_address', '$received_ip_address'],
  ['interface_port', '$received_port'],
  ['message_id', '$message_exim_id'],
  ['return_size_limit', '$bounce_return_size_limit'],
  ['tls_bits', '$tls_in_bits or $tls_out_bits'],
  ['tls_certificate_verified', '$tls_in_certificate_verified or $tls_out_certificate_verified'],
  ['tls_cipher', '$tls_in_cipher or $tls_out_cipher'],
  ['tls_peerdn', '$tls_in_peerdn or $tls_out_peerdn'],
  ['tls_sni', '$tls_in_sni or $tls_out_sni'],
]);

const operators: ReadonlyMap<string, string> = new Map([['str2b64', 'base64']]);

export function* obsolete(config: Config): Generator<Remark> {
  for (const option of config.mainSet) {
    const instead = options.get(option);
    if (instead !== undefined) yield remark(`the option ${option} is obsolete: ${instead}`);
  }
  for (const { name, set, place } of config.transports.values()) {
    for (const option of set) {
      const instead = options.get(option);
      if (instead !== undefined) yield remark(`transport ${name}: the option ${option} is obsolete: ${instead}`, place);
    }
  }
  for (const { place, where, template } of templatesOf(config)) {
    const seen = new Set<string>();
    for (const node of nodesOf(template.tree)) {
      const table = node.kind === 'variable' ? variables : node.kind === 'operator' ? operators : undefined;
      if (table === undefined || (node.kind !== 'variable' && node.kind !== 'operator') || seen.has(node.name))
        continue;
      const instead = table.get(node.name);
      seen.add(node.name);
      const written = node.kind === 'variable' ? `$${node.name}` : `\${${node.name}:…}`;
      if (instead !== undefined) yield remark(`${place}: ${written} is an old name of ${instead}`, where);
    }
  }
  yield* inAcls(config);
}

/** Forms of ACL clauses. */
function* inAcls(config: Config): Generator<Remark> {
  for (const { name, statements } of config.acls.values()) {
    for (const { verb, clauses, place } of statements) {
      const told = (text: string): Remark => remark(`ACL ${name} (${place}): ${text}`);
      for (const { name: clause, template } of clauses) {
        if (clause === 'message' && verb === 'warn')
          yield told('"message" with "warn" adds header lines; use add_header');
        const old = /\/(callout_defer_ok|check_postmaster)\b/.exec(template.source)?.[1];
        if (clause === 'verify' && old !== undefined) {
          yield told(
            `"${old}" is an old form: write callout=${old === 'callout_defer_ok' ? 'defer_ok' : 'postmaster'}`,
          );
        }
      }
    }
  }
}
