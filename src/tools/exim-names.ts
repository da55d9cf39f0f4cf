/**
 * Names that a configuration of Exim 4.96 may use (Exim spec 9.3, 9.4, 11.5 - 11.7, 44.21, 44.26), so that the page on
 * compatibility can tell which of them this version does not know.
 */

import { trim } from '../lib/octets.ts';

const words = (text: string): readonly string[] => trim(text).split(/[ \n]+/);

export const eximLookups = words(`
  cdb dbm dbmjz dbmnz dnsdb dsearch ibase iplsearch json ldap ldapdn ldapm lmdb lsearch mysql nis nis0 nisplus nwildlsearch
  oracle passwd pgsql redis spf sqlite testdb whoson wildlsearch
`);

export const eximItems = words(`
  acl authresults certextract dlfunc env extract filter hash hmac if imapfolder length listextract listquote lookup map
  nhash perl prvs prvscheck readfile readsocket reduce run sg sort srs_encode substr tr
`);

export const eximOperators = words(`
  address addresses base32 base32d base62 base62d base64 base64d domain escape escape8bit eval eval10 expand from_utf8 h
  hash hex2b64 hexquote ipv6denorm ipv6norm l lc length listcount listnamed local_part mask md5 nhash quote quote_
  quote_local_part randint reverse_ip rfc2047 rfc2047d rxquote s sha1 sha256 sha3 stat str2b64 strlen substr time_eval
  time_interval uc utf8_domain_from_alabel utf8_domain_to_alabel utf8_localpart_from_alabel utf8_localpart_to_alabel
  utf8clean
`);

export const eximConditions = words(`
  < <= = == > >= acl and bool bool_lax crypteq def eq eqi exists first_delivery forall forall_json forall_jsons forany
  forany_json forany_jsons ge gei gt gti inbound_srs inlist inlisti isip isip4 isip6 ldapauth le lei lt lti match
  match_address match_domain match_ip match_local_part or pam pwcheck queue_running radius saslauthd
`);

export const eximAclConditions = words(`
  acl authenticated condition decode dkim_signers dkim_status dmarc_status dnslists domains encrypted hosts local_parts
  malware mime_regex ratelimit recipients regex seen sender_domains senders spam spf spf_guess verify
`);

export const eximAclModifiers = words(`
  add_header continue control delay endpass log_message log_reject_target logwrite message queue remove_header set udpsend
`);
