/**
 * What this program can do beside drivers and options, where Exim makes it optional: how `-bV` names it and how the
 * macros that a configuration may ask for do (Exim spec 5 -bV, 6.9).
 */

interface Feature {
  /** As `-bV` writes it; nothing where it does not. */
  readonly word?: string;
  /** Behind `_HAVE_`. */
  readonly macros: readonly string[];
}

/** In the order of `-bV`. */
export const features: readonly Feature[] = [
  { word: 'crypteq', macros: ['CRYPTEQ'] },
  { word: 'iconv()', macros: ['ICONV'] },
  { word: 'IPv6', macros: ['IPV6'] },
  { word: 'PAM', macros: ['PAM'] },
  { word: 'Perl', macros: ['PERL'] },
  { word: 'OpenSSL', macros: ['TLS', 'TLS1_3', 'TLS_ALPN', 'OPENSSL'] },
  { word: 'TLS_resume', macros: ['TLS_RESUME'] },
  { word: 'move_frozen_messages', macros: ['MOVE_FROZEN_MESSAGES'] },
  {
    word: 'Content_Scanning',
    macros: [
      'CONTENT_SCANNING',
      ...['AVAST', 'CLAMD', 'CMDLINE', 'DRWEB', 'FPROT6D', 'FPROTD', 'FSECURE', 'SOCK', 'SOPHIE'].map(
        (scanner) => `MALWARE_${scanner}`,
      ),
    ],
  },
  { word: 'DANE', macros: ['DANE'] },
  { word: 'DKIM', macros: ['DKIM'] },
  { word: 'DMARC', macros: ['DMARC'] },
  { word: 'DNSSEC', macros: ['DNSSEC'] },
  { word: 'Event', macros: ['EVENT'] },
  { word: 'I18N', macros: ['I18N'] },
  { word: 'PRDR', macros: ['PRDR'] },
  { word: 'PROXY', macros: ['PROXY'] },
  { word: 'SOCKS', macros: ['SOCKS'] },
  { word: 'SPF', macros: ['SPF'] },
  { word: 'SRS', macros: ['SRS', 'NATIVE_SRS'] },
  { word: 'Experimental_ARC', macros: ['ARC'] },
  { macros: ['TRANSPORT_APPEND_MAILDIR', 'TRANSPORT_APPEND_MAILSTORE', 'TRANSPORT_APPEND_MBX'] },
];
