/** The variables about TLS: `$tls_in_…` of the client's connection, `$tls_out_…` of ours to a server (Exim spec 11.9). */

import type { TlsFacts } from '../net/tls.ts';
import type { Context } from './context.ts';
import type { VariableRow } from './variables.ts';

type Find = (context: Context) => TlsFacts | undefined;

interface Question {
  readonly doc: string;
  /** It comes from the other side. */
  readonly tainted: boolean;
  read(facts: TlsFacts): string;
  /** What it is without TLS. */
  readonly otherwise: string;
}

const question = (doc: string, read: Question['read'], { tainted = false, otherwise = '' } = {}): Question => ({
  doc,
  tainted,
  read,
  otherwise,
});

const questions = {
  bits: question('strength of the cipher', ({ bits }) => String(bits), { otherwise: '0' }),
  certificate_verified: question(
    'whether the certificate of the other side is good',
    ({ verified }) => (verified ? '1' : '0'),
    { otherwise: '0' },
  ),
  cipher: question('version, cipher and strength', ({ cipher }) => cipher),
  cipher_std: question('standard name of the cipher', ({ standardCipher }) => standardCipher),
  ocsp: question('state of the proof that the certificate still holds', ({ ocsp }) => String(ocsp), { otherwise: '0' }),
  ourcert: question('our certificate', ({ ownCertificate }) => ownCertificate),
  peercert: question('certificate of the other side', ({ peerCertificate }) => peerCertificate, { tainted: true }),
  peerdn: question('subject of the certificate of the other side', ({ peerDn }) => peerDn, { tainted: true }),
  resumption: question('whether a session was resumed, as bits', ({ resumed }) => (resumed ? '21' : '1'), {
    otherwise: '0',
  }),
  sni: question('the name that a certificate was asked for', ({ sni }) => sni, { tainted: true }),
  ver: question('TLS version', ({ version }) => version),
} satisfies Record<string, Question>;

type Name = keyof typeof questions;

function row(name: Name, find: Find, doc: string = questions[name].doc): VariableRow {
  const { read, tainted, otherwise } = questions[name];
  return {
    doc,
    tainted,
    read: (context) => {
      const facts = find(context);
      return facts === undefined ? otherwise : read(facts);
    },
  };
}

const incoming: Find = (context) => context.connection?.tls;
const outgoing: Find = (context) => context.delivery?.tls;
const older = (name: Name): VariableRow => row(name, incoming, `older name of tls_in_${name}`);

function family<const Prefix extends string>(prefix: Prefix, find: Find): Record<`${Prefix}${Name}`, VariableRow> {
  const rows = (Object.keys(questions) as Name[]).map((name) => [`${prefix}${name}`, row(name, find)]);
  return Object.fromEntries(rows) as Record<`${Prefix}${Name}`, VariableRow>;
}

export const tlsVariables = {
  ...family('tls_in_', incoming),
  ...family('tls_out_', outgoing),
  tls_bits: older('bits'),
  tls_certificate_verified: older('certificate_verified'),
  tls_cipher: older('cipher'),
  tls_out_dane: {
    doc: 'whether the DNS vouches for the certificate of the server',
    tainted: false,
    read: (context) => (outgoing(context)?.dane ? 'yes' : 'no'),
  },
  tls_out_tlsa_usage: {
    doc: 'usages of the TLSA records of the server, as bits',
    tainted: false,
    read: (context) => outgoing(context)?.tlsaUsage ?? 0,
  },
  tls_peerdn: older('peerdn'),
  tls_sni: older('sni'),
} satisfies Record<string, VariableRow>;
