/** Main options about TLS for clients of this server (Exim spec 14.13, 43). */

import { fixed, flag, hostList, integer, stringList, template } from '../../options/kinds.ts';
import { neverEffective, type OptionTable } from '../../options/table.ts';

export const tls = {
  gnutls_allow_auto_pkcs11: neverEffective(
    flag('Lets GnuTLS load the PKCS#11 modules that the system is set up with.'),
    'there is no GnuTLS in this program, whose TLS is OpenSSL',
  ),
  gnutls_compat_mode: neverEffective(
    flag('Switches on the concessions of GnuTLS to old peers.'),
    'there is no GnuTLS in this program, whose TLS is OpenSSL',
  ),
  hosts_require_alpn: hostList('Clients that must choose an application protocol when TLS starts.'),
  hosts_require_helo: hostList('Hosts that must say HELO or EHLO before MAIL.', '*'),
  openssl_options: fixed('Switches of OpenSSL that are set or cleared.'),
  tls_advertise_hosts: hostList('Hosts that are offered STARTTLS.', '*'),
  tls_alpn: template('Application protocols of which a client may choose one.', 'smtp:esmtp'),
  tls_certificate: template('Files with the certificate of this server.'),
  tls_crl: template('The certificates that were revoked, as a file or directory.'),
  tls_dh_max_bits: integer('The greatest size of Diffie-Hellman parameters, where none are named.', 2236),
  tls_dhparam: template('The Diffie-Hellman parameters: a file or the name of a known set.'),
  tls_eccurve: template('The elliptic curves for key agreement.', 'auto'),
  tls_ocsp_file: template('Files with the proof of the authority that our certificate still holds.'),
  tls_on_connect_ports: stringList('Ports on which TLS starts at once.'),
  tls_privatekey: template('Files with the private key of this server.'),
  tls_remember_esmtp: flag('Spares broken clients the second EHLO after STARTTLS.'),
  tls_require_ciphers: template('The ciphers that clients may use.'),
  tls_resumption_hosts: hostList('Hosts that may resume an earlier TLS session.'),
  tls_try_verify_hosts: hostList('Hosts whose certificate is asked for and checked, without consequences.'),
  tls_verify_certificates: template('The authorities that certificates of clients are checked against.', 'system'),
  tls_verify_hosts: hostList('Hosts that must show a good certificate.'),
} satisfies OptionTable;
