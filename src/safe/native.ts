/**
 * Loads the system's C library and PCRE2 on first use; says clearly
 * what is missing. Calls are synchronous and short, but for those that hash a password.
 */

import type { LibraryHandle } from 'koffi';
import { koffi } from './koffi.ts';

type Flock = { type: number; whence: number; start: number; length: number; pid: number };

/** Thrown when a shared library that the program needs is not on the machine. */
export class MissingLibrary extends Error {}

export function loadLibrary(names: readonly string[], need: string): LibraryHandle {
  for (const name of names) {
    try {
      return koffi().load(name);
    } catch {
      // the next name
    }
  }
  throw new MissingLibrary(`${need} cannot be loaded (looked for ${names.join(', ')})`);
}

let libc: LibraryHandle | undefined;

let fcntl: ((descriptor: number, command: number, lock: Flock) => number) | undefined;

const setOwnLock = 37; // F_OFD_SETLK: a lock that belongs to the open file, not to the process

export type LockKind = 'exclusive' | 'shared';

const fcntlTypes: Record<LockKind, number> = { exclusive: 1, shared: 0 }; // F_WRLCK, F_RDLCK

/**
 * Takes a lock on the whole file without waiting; answers false when another holds one that conflicts. The lock conflicts
 * with the POSIX locks of other programs, belongs to this open file, and goes when it is closed.
 */
export function tryLock(descriptor: number, kind: LockKind = 'exclusive'): boolean {
  if (fcntl === undefined) {
    koffi().struct('flock', { type: 'int16', whence: 'int16', start: 'int64', length: 'int64', pid: 'int32' });
    libc ??= loadLibrary(['libc.so.6', 'libc.musl-x86_64.so.1', 'libc.so'], 'the C library');
    fcntl = libc.func('int fcntl(int fd, int command, _Inout_ flock *lock)');
  }
  return fcntl?.(descriptor, setOwnLock, { type: fcntlTypes[kind], whence: 0, start: 0, length: 0, pid: 0 }) === 0;
}

let flock: ((descriptor: number, operation: number) => number) | undefined;

const flockTypes: Record<LockKind, number> = { exclusive: 2 | 4, shared: 1 | 4 }; // LOCK_EX, LOCK_SH with LOCK_NB

/** As `tryLock`, with flock(2): for mailboxes that other programs lock this way. */
export function tryFlock(descriptor: number, kind: LockKind = 'exclusive'): boolean {
  libc ??= loadLibrary(['libc.so.6', 'libc.musl-x86_64.so.1', 'libc.so'], 'the C library');
  flock ??= libc.func('int flock(int fd, int operation)');
  return flock?.(descriptor, flockTypes[kind]) === 0;
}

let getsockopt:
  | ((descriptor: number, level: number, name: number, value: Buffer, length: Buffer) => number)
  | undefined;

const tcpLevel = 6; // IPPROTO_TCP
const tcpInfo = 11; // TCP_INFO
/** Where `struct tcp_info` has tcpi_unacked; for a socket that listens, that is the connections nobody has taken. */
const waitingAt = 24;

/** Connections that wait at a listening socket; nothing where the system does not tell. Linux alone does. */
export function waitingConnections(descriptor: number): number | undefined {
  libc ??= loadLibrary(['libc.so.6', 'libc.musl-x86_64.so.1', 'libc.so'], 'the C library');
  getsockopt ??= libc.func('int getsockopt(int fd, int level, int name, void *value, void *length)');
  const value = Buffer.alloc(256);
  const length = Buffer.alloc(4);
  length.writeUInt32LE(value.length);
  const isTold = getsockopt(descriptor, tcpLevel, tcpInfo, value, length) === 0;
  return isTold && length.readUInt32LE() >= waitingAt + 4 ? value.readUInt32LE(waitingAt) : undefined;
}

interface CryptFunction {
  async(key: Buffer, setting: Buffer, space: Buffer, done: (error: Error | null, hash: string | null) => void): void;
}

let crypt: CryptFunction | undefined;

/** Octets that crypt_r(3) works in: libxcrypt takes 32 KB of them, the one of glibc before it 128 KB. */
const cryptSpace = 1 << 18;

const terminated = (text: string): Buffer => Buffer.from(`${text}\0`, 'latin1');

/**
 * crypt_r(3), away from the thread that serves everybody: the hash of `password` with the method and salt of `setting`,
 * or nothing when the method is unknown.
 */
export function systemCrypt(password: string, setting: string): Promise<string | undefined> {
  crypt ??= loadLibrary(['libcrypt.so.1', 'libcrypt.so.2'], 'libcrypt').func(
    'const char *crypt_r(const void *key, const void *setting, void *space)',
  ) as unknown as CryptFunction;
  const work = crypt;
  const memory = [terminated(password), terminated(setting), Buffer.alloc(cryptSpace)] as const;
  return new Promise((resolve, reject) => {
    work.async(...memory, (error, hash) => {
      // named here so that nothing is collected while the other thread works in it, and so that no password stays behind
      for (const octets of memory) octets.fill(0);
      if (error !== null) reject(error);
      else resolve(hash === null || hash.startsWith('*') ? undefined : hash);
    });
  });
}

/** An address in the memory of a C library; 0n is none. */
export type Pointer = bigint;

/** The functions of PCRE2 (8-bit) that `lib/regex` stands on. */
export interface Pcre2 {
  readonly compile: (
    pattern: Uint8Array,
    length: number,
    options: number,
    error: [number],
    offset: [number],
    context: null,
  ) => Pointer | null;
  readonly free: (code: Pointer) => void;
  readonly jitCompile: (code: Pointer, options: number) => number;
  readonly match: (
    code: Pointer,
    subject: Uint8Array,
    length: number,
    start: number,
    options: number,
    data: Pointer,
    context: Pointer,
  ) => number;
  readonly makeMatchData: (code: Pointer, context: null) => Pointer;
  readonly freeMatchData: (data: Pointer) => void;
  /** Where the offsets of a match lie: a pair of `size_t` for the whole and for each group. */
  readonly offsets: (data: Pointer) => Pointer;
  readonly offsetPairs: (data: Pointer) => number;
  readonly makeMatchContext: (general: null) => Pointer;
  readonly setMatchLimit: (context: Pointer, limit: number) => number;
  readonly setDepthLimit: (context: Pointer, limit: number) => number;
  readonly setHeapLimit: (context: Pointer, kilobytes: number) => number;
  readonly errorMessage: (code: number, buffer: Uint8Array, length: number) => number;
}

let pcre2: Pcre2 | undefined;

/** PCRE2, loaded once. */
export function loadPcre2(): Pcre2 {
  if (pcre2 !== undefined) return pcre2;
  const library = loadLibrary(['libpcre2-8.so.0', 'libpcre2-8.so'], 'PCRE2 (package libpcre2-8-0)');
  pcre2 = {
    compile: library.func(
      'void *pcre2_compile_8(const uint8_t *pattern, size_t length, uint32_t options, _Out_ int *error, _Out_ size_t *offset, void *context)',
    ),
    free: library.func('void pcre2_code_free_8(void *code)'),
    jitCompile: library.func('int pcre2_jit_compile_8(void *code, uint32_t options)'),
    match: library.func(
      'int pcre2_match_8(void *code, const uint8_t *subject, size_t length, size_t start, uint32_t options, void *data, void *context)',
    ),
    makeMatchData: library.func('void *pcre2_match_data_create_from_pattern_8(void *code, void *context)'),
    freeMatchData: library.func('void pcre2_match_data_free_8(void *data)'),
    offsets: library.func('void *pcre2_get_ovector_pointer_8(void *data)'),
    offsetPairs: library.func('uint32_t pcre2_get_ovector_count_8(void *data)'),
    makeMatchContext: library.func('void *pcre2_match_context_create_8(void *general)'),
    setMatchLimit: library.func('int pcre2_set_match_limit_8(void *context, uint32_t limit)'),
    setDepthLimit: library.func('int pcre2_set_depth_limit_8(void *context, uint32_t limit)'),
    setHeapLimit: library.func('int pcre2_set_heap_limit_8(void *context, uint32_t kilobytes)'),
    errorMessage: library.func('int pcre2_get_error_message_8(int code, uint8_t *buffer, size_t length)'),
  };
  return pcre2;
}

/** The 32-bit words of `length` octets of a library's memory; valid as long as the library keeps them. */
export function wordsAt(pointer: Pointer, length: number): Uint32Array {
  return new Uint32Array(koffi().view(pointer, length));
}

/** The functions of LMDB that `lookups/lmdb` stands on; those that answer a number answer 0 or that of an error. */
export interface Lmdb {
  readonly makeEnvironment: (environment: [Pointer | null]) => number;
  readonly open: (environment: Pointer, path: string, flags: number, mode: number) => number;
  readonly closeEnvironment: (environment: Pointer) => void;
  readonly begin: (environment: Pointer, parent: null, flags: number, transaction: [Pointer | null]) => number;
  readonly openDatabase: (transaction: Pointer, name: null, flags: number, database: [number]) => number;
  readonly get: (transaction: Pointer, database: number, key: Buffer, value: Buffer) => number;
  readonly abort: (transaction: Pointer) => void;
  readonly errorMessage: (code: number) => string;
}

let lmdb: Lmdb | undefined;

/** LMDB, loaded once. */
export function loadLmdb(): Lmdb {
  if (lmdb !== undefined) return lmdb;
  const library = loadLibrary(['liblmdb.so.0', 'liblmdb.so'], 'LMDB (package liblmdb0)');
  lmdb = {
    makeEnvironment: library.func('int mdb_env_create(_Out_ void **environment)'),
    open: library.func('int mdb_env_open(void *environment, const char *path, unsigned int flags, uint32_t mode)'),
    closeEnvironment: library.func('void mdb_env_close(void *environment)'),
    begin: library.func(
      'int mdb_txn_begin(void *environment, void *parent, unsigned int flags, _Out_ void **transaction)',
    ),
    openDatabase: library.func(
      'int mdb_dbi_open(void *transaction, const char *name, unsigned int flags, _Out_ unsigned int *database)',
    ),
    get: library.func('int mdb_get(void *transaction, unsigned int database, void *key, void *value)'),
    abort: library.func('void mdb_txn_abort(void *transaction)'),
    errorMessage: library.func('const char *mdb_strerror(int code)'),
  };
  return lmdb;
}

/** Where a buffer lies, as a C library writes it into a structure; valid as long as the buffer is. */
export function addressOf(buffer: Buffer): bigint {
  return koffi().address(buffer);
}

/** A copy of `length` octets of a library's memory. */
export function octetsAt(pointer: Pointer, length: number): Buffer {
  return Buffer.from(Buffer.from(koffi().view(pointer, length)));
}
