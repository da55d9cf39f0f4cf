/** Client libraries of databases. */

import { loadLibrary } from '../lib/library.ts';

export const loadPg = (): typeof import('pg') => loadLibrary('pg') as typeof import('pg');
export const loadMysql = (): typeof import('mysql2/promise') =>
  loadLibrary('mysql2/promise') as typeof import('mysql2/promise');
export const loadRedis = (): typeof import('ioredis') => loadLibrary('ioredis') as typeof import('ioredis');
export const loadLdap = (): typeof import('ldapts') => loadLibrary('ldapts') as typeof import('ldapts');
