/** Certificates for tests: an authority of our own in a directory, and what it vouches for, made by openssl. */

import { spawnSync } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

function openssl(words: readonly string[]): void {
  const { status, stderr, error } = spawnSync('openssl', words, { encoding: 'utf8' });
  if (status !== 0) throw error ?? new Error(`openssl ${words.join(' ')}: ${stderr}`);
}

const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];

export class TestAuthority {
  readonly directory: string;
  /** The file with its own certificate. */
  readonly certificate: string;
  readonly #key: string;

  constructor(directory: string) {
    this.directory = directory;
    this.certificate = join(directory, 'authority.pem');
    this.#key = join(directory, 'authority.key');
    openssl([
      ...['req', '-x509', ...newKey, '-days', '2', '-subj', '/CN=Test authority'],
      ...['-keyout', this.#key, '-out', this.certificate],
    ]);
  }

  /**
   * What the authority says of a certificate that it issued (OCSP), for one day; answers the path. It signs itself, unless
   * `signer` is another file with a certificate and its key.
   */
  prove(file: string, issued: string, status: 'good' | 'revoked' | 'unknown', signer?: string): string {
    const path = join(this.directory, file);
    const { serialNumber } = new X509Certificate(readFileSync(issued));
    const end = '491231235959Z';
    const rows = { good: `V\t${end}\t`, revoked: `R\t${end}\t200101000000Z`, unknown: undefined };
    const row = rows[status];
    writeFileSync(`${path}.index`, row === undefined ? '' : `${row}\t${serialNumber}\tunknown\t/CN=x\n`);
    openssl(['ocsp', '-issuer', this.certificate, '-cert', issued, '-no_nonce', '-reqout', `${path}.request`]);
    openssl([
      ...['ocsp', '-index', `${path}.index`, '-CA', this.certificate, '-reqin', `${path}.request`, '-respout', path],
      ...['-rsigner', signer ?? this.certificate, '-rkey', signer ?? this.#key, '-ndays', '1'],
    ]);
    return path;
  }

  /** The list of what the authority has taken back (CRL), good for a day; answers its path. */
  revocations(file: string, ...issued: readonly string[]): string {
    const path = join(this.directory, file);
    const rows = issued.map((each) => {
      const { serialNumber } = new X509Certificate(readFileSync(each));
      return `R\t491231235959Z\t200101000000Z\t${serialNumber}\tunknown\t/CN=x\n`;
    });
    writeFileSync(`${path}.index`, rows.join(''));
    writeFileSync(
      `${path}.conf`,
      `[ca]\ndefault_ca=c\n[c]\ndatabase=${path}.index\ndefault_md=sha256\ndefault_crl_days=1\n`,
    );
    openssl([
      ...['ca', '-config', `${path}.conf`, '-gencrl', '-cert', this.certificate, '-keyfile', this.#key, '-out', path],
    ]);
    return path;
  }

  /** Makes a key and a certificate in one file, which everybody may read; answers its path. */
  issue(file: string, subject: string, alternativeNames: string, extensions = ''): string {
    const path = join(this.directory, file);
    const request = `${path}.request`;
    writeFileSync(`${path}.extensions`, `subjectAltName=${alternativeNames}\n${extensions}`);
    openssl(['req', '-new', ...newKey, '-subj', subject, '-keyout', `${path}.key`, '-out', request]);
    openssl([
      ...['x509', '-req', '-in', request, '-CA', this.certificate, '-CAkey', this.#key, '-CAcreateserial'],
      ...['-days', '2', '-extfile', `${path}.extensions`, '-out', `${path}.certificate`],
    ]);
    writeFileSync(path, readFileSync(`${path}.certificate`, 'utf8') + readFileSync(`${path}.key`, 'utf8'));
    chmodSync(path, 0o644);
    return path;
  }
}
