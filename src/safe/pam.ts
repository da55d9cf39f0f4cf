/**
 * Asks libpam whether a user may come in (Exim spec 11.7, pam). The modules of PAM wait, start programs and may crash:
 * this is for a process of its own (`mta/pam.ts`).
 */

import { koffi } from './koffi.ts';
import { loadLibrary } from './native.ts';

export type PamVerdict = { readonly accepted: boolean } | { readonly error: string };

const service = 'exim';
const silent = 0x8000;
const success = 0;
const bufferError = 5;
const conversationError = 19;

/** The answers of PAM that say no to the user, and do not tell of trouble: wrong password, unknown user, expired account. */
const refusals: ReadonlySet<number> = new Set([7, 10, 13]);

/** Kinds of messages of a module: with and without echo are questions, the others are told and have no answer. */
const questionKinds: ReadonlySet<number> = new Set([1, 2]);
const toldKinds: ReadonlySet<number> = new Set([3, 4]);

const pointerSize = 8;
const responseSize = 16;

/** What C reads of it ends at its first NUL. */
const terminated = (text: string): Buffer => Buffer.from(`${text}\0`, 'latin1');

/** Answers the questions of the modules in order; when none is left, with nothing. */
export function askPam(user: string, answers: readonly string[]): PamVerdict {
  const native = koffi();
  const libc = loadLibrary(['libc.so.6', 'libc.musl-x86_64.so.1', 'libc.so'], 'the C library');
  const libpam = loadLibrary(['libpam.so.0', 'libpam.so'], 'libpam');
  const calloc = libc.func('void *calloc(size_t count, size_t size)');
  const strdup = libc.func('void *strdup(const void *text)');
  const conversation = native.proto('int pam_talk(int count, void *messages, void *responses, void *data)');
  native.struct('pam_conv', { talk: native.pointer(conversation), data: 'void *' });
  const start = libpam.func(
    'int pam_start(const char *service, const void *user, const pam_conv *talk, _Out_ void **pam)',
  );
  const authenticate = libpam.func('int pam_authenticate(void *pam, int flags)');
  const manageAccount = libpam.func('int pam_acct_mgmt(void *pam, int flags)');
  const end = libpam.func('int pam_end(void *pam, int status)');
  const words = libpam.func('const char *pam_strerror(void *pam, int status)');
  const rest = [...answers];

  const talk = native.register((count: number, messages: unknown, responses: unknown): number => {
    const given: unknown = calloc(count, responseSize);
    if (given === null) return bufferError;
    for (let index = 0; index < count; index++) {
      const message: unknown = native.decode(messages, index * pointerSize, 'void *');
      const kind: number = native.decode(message, 'int');
      if (questionKinds.has(kind)) {
        // the module frees it
        native.encode(given, index * responseSize, 'void *', strdup(terminated(rest.shift() ?? '')));
      } else if (!toldKinds.has(kind)) return conversationError;
    }
    native.encode(responses, 'void *', given);
    return success;
  }, native.pointer(conversation));

  const handle: [unknown] = [null];
  let status: number = start(service, terminated(user), { talk, data: null }, handle);
  const [pam] = handle;
  if (status === success) status = authenticate(pam, silent);
  if (status === success) status = manageAccount(pam, silent);
  const verdict: PamVerdict =
    status === success || refusals.has(status) ? { accepted: status === success } : { error: words(pam, status) };
  if (pam !== null) end(pam, status);
  return verdict;
}
