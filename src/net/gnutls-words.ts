/** The words of GnuTLS's priority strings, as its version 3.7 knows them; and the suites that this program's library has for them. */

/** What is chosen. Compression and types of certificates are known by name, and change nothing. */
export const kinds = ['ciphers', 'exchanges', 'checksums', 'versions', 'groups', 'signatures', 'others'] as const;
export type Kind = (typeof kinds)[number];
export type Choice = Readonly<Record<Kind, readonly string[]>>;

const named = (prefix: string, names: string): readonly string[] => names.split(' ').map((name) => prefix + name);

/** All that may be named. */
export const known: Choice = {
  ciphers: named(
    '',
    'AES-256-CBC AES-192-CBC AES-128-CBC AES-128-GCM AES-192-GCM AES-256-GCM AES-128-CCM AES-256-CCM AES-128-CCM-8 AES-256-CCM-8 ARCFOUR-128 ESTREAM-SALSA20-256 SALSA20-256 CHACHA20-32 CHACHA20-64 CAMELLIA-256-CBC CAMELLIA-192-CBC CAMELLIA-128-CBC CHACHA20-POLY1305 CAMELLIA-128-GCM CAMELLIA-256-GCM GOST28147-TC26Z-CFB GOST28147-CPA-CFB GOST28147-CPB-CFB GOST28147-CPC-CFB GOST28147-CPD-CFB AES-128-CFB8 AES-192-CFB8 AES-256-CFB8 AES-128-XTS AES-256-XTS AES-128-SIV AES-256-SIV GOST28147-TC26Z-CNT MAGMA-CTR-ACPKM KUZNYECHIK-CTR-ACPKM 3DES-CBC DES-CBC RC2-40 NULL',
  ),
  exchanges: named(
    '',
    'ECDHE-RSA ECDHE-ECDSA RSA DHE-RSA DHE-DSS PSK RSA-PSK DHE-PSK ECDHE-PSK SRP-DSS SRP-RSA SRP ANON-DH ANON-ECDH VKO-GOST-12 RSA-EXPORT',
  ),
  checksums: named(
    '',
    'SHA1 SHA256 SHA384 SHA512 SHA224 UMAC-96 UMAC-128 AEAD MD5 GOSTR341194 STREEBOG-256 STREEBOG-512 AES-CMAC-128 AES-CMAC-256 AES-GMAC-128 AES-GMAC-192 AES-GMAC-256 GOST28147-TC26Z-IMIT OMAC-MAGMA OMAC-KUZNYECHIK',
  ),
  versions: named('VERS-', 'TLS1.3 TLS1.2 TLS1.1 TLS1.0 SSL3.0 DTLS1.2 DTLS1.0 DTLS0.9'),
  groups: named(
    'GROUP-',
    'SECP192R1 SECP224R1 SECP256R1 SECP384R1 SECP521R1 X25519 GC256B GC512A X448 FFDHE2048 FFDHE3072 FFDHE4096 FFDHE6144 FFDHE8192',
  ),
  signatures: named(
    'SIGN-',
    'RSA-SHA256 RSA-SHA384 RSA-SHA512 RSA-PSS-SHA256 RSA-PSS-RSAE-SHA256 RSA-PSS-SHA384 RSA-PSS-RSAE-SHA384 RSA-PSS-SHA512 RSA-PSS-RSAE-SHA512 EDDSA-ED25519 EDDSA-ED448 ECDSA-SHA256 ECDSA-SHA384 ECDSA-SHA512 ECDSA-SECP256R1-SHA256 ECDSA-SECP384R1-SHA384 ECDSA-SECP521R1-SHA512 ECDSA-SHA3-224 ECDSA-SHA3-256 ECDSA-SHA3-384 ECDSA-SHA3-512 RSA-SHA3-224 RSA-SHA3-256 RSA-SHA3-384 RSA-SHA3-512 DSA-SHA3-224 DSA-SHA3-256 DSA-SHA3-384 DSA-SHA3-512 RSA-RAW RSA-SHA1 RSA-SHA224 RSA-RMD160 DSA-SHA1 DSA-SHA224 DSA-SHA256 RSA-MD5 RSA-MD2 ECDSA-SHA1 ECDSA-SHA224 GOSTR341012-512 GOSTR341012-256 GOSTR341001 DSA-SHA384 DSA-SHA512',
  ),
  others: [...named('COMP-', 'NULL DEFLATE'), ...named('CTYPE-', 'OPENPGP X509 X.509 RAWPK')],
};

const none: Choice = {
  ciphers: [],
  exchanges: [],
  checksums: [],
  versions: [],
  groups: [],
  signatures: [],
  others: [],
};

const normal: Choice = {
  ...none,
  ciphers: named('', 'AES-256-GCM CHACHA20-POLY1305 AES-256-CCM AES-256-CBC AES-128-GCM AES-128-CCM AES-128-CBC'),
  exchanges: named('', 'ECDHE-ECDSA ECDHE-RSA RSA DHE-RSA'),
  checksums: named('', 'SHA1 AEAD'),
  versions: named('VERS-', 'TLS1.3 TLS1.2 TLS1.1 TLS1.0'),
  groups: named(
    'GROUP-',
    'SECP256R1 SECP384R1 SECP521R1 X25519 X448 FFDHE2048 FFDHE3072 FFDHE4096 FFDHE6144 FFDHE8192',
  ),
  signatures: named(
    'SIGN-',
    'RSA-SHA256 RSA-PSS-SHA256 RSA-PSS-RSAE-SHA256 ECDSA-SHA256 ECDSA-SECP256R1-SHA256 EDDSA-ED25519 RSA-SHA384 RSA-PSS-SHA384 RSA-PSS-RSAE-SHA384 ECDSA-SHA384 ECDSA-SECP384R1-SHA384 EDDSA-ED448 RSA-SHA512 RSA-PSS-SHA512 RSA-PSS-RSAE-SHA512 ECDSA-SHA512 ECDSA-SECP521R1-SHA512 RSA-SHA1 ECDSA-SHA1',
  ),
};

const secure128: Choice = {
  ...normal,
  ciphers: named('', 'AES-256-GCM CHACHA20-POLY1305 AES-256-CBC AES-256-CCM AES-128-GCM AES-128-CBC AES-128-CCM'),
};

const secure192: Choice = {
  ...normal,
  ciphers: named('', 'AES-256-GCM CHACHA20-POLY1305 AES-256-CBC AES-256-CCM'),
  checksums: ['AEAD'],
};

const suiteB192: Choice = {
  ...normal,
  ciphers: ['AES-256-GCM'],
  exchanges: ['ECDHE-ECDSA'],
  checksums: ['AEAD'],
  versions: ['VERS-TLS1.2'],
};

/** Where a string begins; but for NONE they may be added later, too. */
export const keywords: ReadonlyMap<string, Choice> = new Map([
  ['NORMAL', normal],
  ['LEGACY', normal],
  [
    'PERFORMANCE',
    {
      ...normal,
      ciphers: named('', 'AES-128-GCM AES-256-GCM CHACHA20-POLY1305 AES-128-CCM AES-256-CCM AES-128-CBC AES-256-CBC'),
      exchanges: named('', 'RSA ECDHE-ECDSA ECDHE-RSA DHE-RSA'),
    },
  ],
  ['PFS', { ...normal, exchanges: named('', 'ECDHE-ECDSA ECDHE-RSA DHE-RSA') }],
  ['SECURE', secure128],
  ['SECURE128', secure128],
  ['SECURE192', secure192],
  ['SECURE256', secure192],
  ['SUITEB128', { ...suiteB192, ciphers: named('', 'AES-256-GCM AES-128-GCM') }],
  ['SUITEB192', suiteB192],
  ['NONE', none],
]);

/** What a word for all of a kind adds and takes away. */
interface Whole {
  readonly kind: Kind;
  readonly added: readonly string[];
  readonly taken: readonly string[];
}

const all = (kind: Kind, isOne: (name: string) => boolean = () => true): Whole => ({
  kind,
  added: normal[kind].filter(isOne),
  taken: known[kind].filter(isOne),
});

const isFiniteField = (name: string): boolean => name.startsWith('GROUP-FFDHE');

/** Words for all of a kind: what is added is what NORMAL has; everything is taken away. */
export const wholes: ReadonlyMap<string, Whole> = new Map([
  ['CIPHER-ALL', all('ciphers')],
  ['KX-ALL', all('exchanges')],
  ['MAC-ALL', all('checksums')],
  ['VERS-ALL', all('versions')],
  ['VERS-TLS-ALL', all('versions')],
  ['VERS-DTLS-ALL', all('versions', (name) => name.startsWith('VERS-DTLS'))],
  ['GROUP-ALL', all('groups')],
  ['CURVE-ALL', all('groups')],
  ['GROUP-EC-ALL', all('groups', (name) => !isFiniteField(name))],
  ['GROUP-DH-ALL', all('groups', isFiniteField)],
  ['SIGN-ALL', all('signatures')],
  ['COMP-ALL', all('others')],
  ['CTYPE-ALL', all('others')],
]);

/** Signatures that are made; the others are known by name, and are too weak or too rare. */
export const usedSignatures: ReadonlySet<string> = new Set(normal.signatures);

const ecdhe = ['ECDHE-ECDSA', 'ECDHE-RSA'];
const plain = ['RSA', 'DHE-RSA'];
const everyone = [...ecdhe, ...plain];

/** Suites of TLS 1.2 and before for a cipher: their checksum, the name behind the exchange of keys, and the exchanges. */
export const suites: ReadonlyMap<
  string,
  readonly (readonly [checksum: string, name: string, exchanges: readonly string[]])[]
> = new Map([
  ['AES-256-GCM', [['AEAD', 'AES256-GCM-SHA384', everyone]]],
  ['AES-128-GCM', [['AEAD', 'AES128-GCM-SHA256', everyone]]],
  ['CHACHA20-POLY1305', [['AEAD', 'CHACHA20-POLY1305', [...ecdhe, 'DHE-RSA']]]],
  ['AES-256-CCM', [['AEAD', 'AES256-CCM', ['ECDHE-ECDSA', ...plain]]]],
  ['AES-128-CCM', [['AEAD', 'AES128-CCM', ['ECDHE-ECDSA', ...plain]]]],
  ['AES-256-CCM-8', [['AEAD', 'AES256-CCM8', ['ECDHE-ECDSA', ...plain]]]],
  ['AES-128-CCM-8', [['AEAD', 'AES128-CCM8', ['ECDHE-ECDSA', ...plain]]]],
  [
    'AES-256-CBC',
    [
      ['SHA1', 'AES256-SHA', everyone],
      ['SHA256', 'AES256-SHA256', plain],
      ['SHA384', 'AES256-SHA384', ecdhe],
    ],
  ],
  [
    'AES-128-CBC',
    [
      ['SHA1', 'AES128-SHA', everyone],
      ['SHA256', 'AES128-SHA256', everyone],
    ],
  ],
  [
    'CAMELLIA-256-CBC',
    [
      ['SHA1', 'CAMELLIA256-SHA', plain],
      ['SHA256', 'CAMELLIA256-SHA256', plain],
      ['SHA384', 'CAMELLIA256-SHA384', ecdhe],
    ],
  ],
  [
    'CAMELLIA-128-CBC',
    [
      ['SHA1', 'CAMELLIA128-SHA', plain],
      ['SHA256', 'CAMELLIA128-SHA256', everyone],
    ],
  ],
]);

/** Suites of TLS 1.3, where a cipher is all that is chosen. */
export const modernSuites: ReadonlyMap<string, string> = new Map([
  ['AES-256-GCM', 'TLS_AES_256_GCM_SHA384'],
  ['CHACHA20-POLY1305', 'TLS_CHACHA20_POLY1305_SHA256'],
  ['AES-128-GCM', 'TLS_AES_128_GCM_SHA256'],
  ['AES-128-CCM', 'TLS_AES_128_CCM_SHA256'],
  ['AES-128-CCM-8', 'TLS_AES_128_CCM_8_SHA256'],
]);

/** Words about how the protocol is spoken, which is left to the library; they are written as they stand here. */
export const manners: ReadonlySet<string> = new Set(
  named(
    '%',
    'NO_ETM FORCE_ETM NO_TICKETS NEW_PADDING NO_EXTENSIONS COMPAT DISABLE_WILDCARDS SAFE_RENEGOTIATION SSL3_RECORD_VERSION NO_SESSION_HASH STATELESS_COMPRESSION SERVER_PRECEDENCE PROFILE_MEDIUM UNSAFE_RENEGOTIATION DISABLE_SAFE_RENEGOTIATION PROFILE_HIGH FALLBACK_SCSV PROFILE_FUTURE DISABLE_TLS13_COMPAT_MODE PARTIAL_RENEGOTIATION DEBUG_ALLOW_KEY_USAGE_VIOLATIONS VERIFY_ALLOW_BROKEN DUMBFW PROFILE_VERY_WEAK ALLOW_SMALL_RECORDS VERIFY_DISABLE_CRL_CHECKS NO_TICKETS_TLS12 VERIFY_ALLOW_X509_V1_CA_CRT PROFILE_ULTRA PROFILE_LEGACY VERIFY_ALLOW_SIGN_RSA_MD5 LATEST_RECORD_VERSION PROFILE_SUITEB128 PROFILE_LOW PROFILE_SUITEB192',
  ),
);
