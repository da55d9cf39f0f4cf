/** Client libraries of databases, loaded when the first query needs them: a short command is done before they are. */

import { createRequire } from 'node:module';
import { join } from 'node:path';

const loaded = new Map<string, unknown>();

function load(name: string): unknown {
  let library = loaded.get(name);
  if (library === undefined) {
    library = createRequire(join(import.meta.dirname, 'any'))(name) as unknown;
    loaded.set(name, library);
  }
  return library;
}

export const loadPg = (): typeof import('pg') => load('pg') as typeof import('pg');
export const loadMysql = (): typeof import('mysql2/promise') =>
  load('mysql2/promise') as typeof import('mysql2/promise');
export const loadRedis = (): typeof import('ioredis') => load('ioredis') as typeof import('ioredis');
export const loadLdap = (): typeof import('ldapts') => load('ldapts') as typeof import('ldapts');
