/** System errors in the words of the C library, which administrators search their logs for. */

import { constants } from 'node:os';

const texts: ReadonlyMap<string, string> = new Map([
  ['EPERM', 'Operation not permitted'],
  ['ENOENT', 'No such file or directory'],
  ['ESRCH', 'No such process'],
  ['EINTR', 'Interrupted system call'],
  ['EIO', 'Input/output error'],
  ['ENXIO', 'No such device or address'],
  ['E2BIG', 'Argument list too long'],
  ['ENOEXEC', 'Exec format error'],
  ['EBADF', 'Bad file descriptor'],
  ['ECHILD', 'No child processes'],
  ['EAGAIN', 'Resource temporarily unavailable'],
  ['ENOMEM', 'Cannot allocate memory'],
  ['EACCES', 'Permission denied'],
  ['EFAULT', 'Bad address'],
  ['EBUSY', 'Device or resource busy'],
  ['EEXIST', 'File exists'],
  ['EXDEV', 'Invalid cross-device link'],
  ['ENODEV', 'No such device'],
  ['ENOTDIR', 'Not a directory'],
  ['EISDIR', 'Is a directory'],
  ['EINVAL', 'Invalid argument'],
  ['ENFILE', 'Too many open files in system'],
  ['EMFILE', 'Too many open files'],
  ['ETXTBSY', 'Text file busy'],
  ['EFBIG', 'File too large'],
  ['ENOSPC', 'No space left on device'],
  ['ESPIPE', 'Illegal seek'],
  ['EROFS', 'Read-only file system'],
  ['EMLINK', 'Too many links'],
  ['EPIPE', 'Broken pipe'],
  ['ENAMETOOLONG', 'File name too long'],
  ['ENOTEMPTY', 'Directory not empty'],
  ['ELOOP', 'Too many levels of symbolic links'],
  ['EDQUOT', 'Disk quota exceeded'],
  ['EADDRINUSE', 'Address already in use'],
  ['EADDRNOTAVAIL', 'Cannot assign requested address'],
  ['ENETDOWN', 'Network is down'],
  ['ENETUNREACH', 'Network is unreachable'],
  ['ENETRESET', 'Network dropped connection on reset'],
  ['ECONNABORTED', 'Software caused connection abort'],
  ['ECONNRESET', 'Connection reset by peer'],
  ['ENOBUFS', 'No buffer space available'],
  ['ENOTCONN', 'Transport endpoint is not connected'],
  ['ETIMEDOUT', 'Connection timed out'],
  ['ECONNREFUSED', 'Connection refused'],
  ['EHOSTDOWN', 'Host is down'],
  ['EHOSTUNREACH', 'No route to host'],
  ['EAFNOSUPPORT', 'Address family not supported by protocol'],
  ['EPROTO', 'Protocol error'],
  ['ECANCELED', 'Operation canceled'],
  ['ENOTSUP', 'Operation not supported'],
  ['EOPNOTSUPP', 'Operation not supported'],
]);

/** The symbolic name of a system error (`ENOENT`), or nothing for any other error. */
export function errorCode(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null || !('code' in error)) return undefined;
  return typeof error.code === 'string' ? error.code : undefined;
}

/** The C library's sentence for an error; the message of the error itself when it is no system error. */
export function errorText(error: unknown): string {
  const code = errorCode(error);
  return (code !== undefined && texts.get(code)) || (error instanceof Error ? error.message : (code ?? String(error)));
}

/** Whose rights a call was made with, for errors about missing ones: `(euid=8 egid=8)`. */
export function effectiveIds(): string {
  return `(euid=${process.geteuid?.() ?? 0} egid=${process.getegid?.() ?? 0})`;
}

/** The same sentence, and with whose rights when they were not enough. */
export function accessErrorText(error: unknown): string {
  const text = errorText(error);
  return errorCode(error) === 'EACCES' ? `${text} ${effectiveIds()}` : text;
}

/** The number of a system error on this machine, 0 when it has none. */
export function errorNumber(error: unknown): number {
  const code = errorCode(error) ?? '';
  const numbers: Readonly<Record<string, number>> = constants.errno;
  return numbers[code] ?? 0;
}

/** The sentence for an error number; empty for a number the system does not know. */
export function errorNumberText(number: number): string {
  const found = Object.entries(constants.errno).find(([, value]) => value === number);
  return found === undefined ? '' : (texts.get(found[0]) ?? found[0]);
}
