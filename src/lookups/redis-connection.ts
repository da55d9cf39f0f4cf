/** A connection to a Redis server. What it answers is octets; time and size of an answer are bounded. */

import type { Redis } from 'ioredis';
import { errorText } from '../lib/errno.ts';
import { type Clean, reviewed } from '../safe/taint.ts';
import { loadRedis } from './library.ts';
import type { RedisCommand } from './redis-command.ts';
import type { PooledConnection } from './server-pool.ts';

/** Milliseconds. */
const connectTime = 15_000;
const queryTime = 60_000;

export interface RedisPlace {
  readonly where: { readonly path: Clean } | { readonly host: string; readonly port: number };
  readonly database: number;
  readonly password: string;
}

const standardPort = 6379;
const itemForm = /^(?:\(([^)]*)\)|\[([^\]]*)\]|([^/:]*))(?::(\d{1,5}))?(?:\/(\d{0,6}))?(?:\/(.*))?$/s;

/** The place that an item of redis_servers names (Exim spec 9.22), or what is wrong with it. */
export function redisPlace(item: Clean): RedisPlace | { readonly error: string } {
  const [all, path, bracketed, plain, port, database, password = ''] = itemForm.exec(item) ?? [];
  if (all === undefined) return { error: `incomplete Redis server data: ${item.replace(/\/.*/s, '')}` };
  const host = bracketed ?? plain ?? '';
  const where =
    path === undefined
      ? { host: host === '' ? 'localhost' : host, port: Number(port ?? standardPort) }
      : { path: reviewed(path, 'part of a clean item') };
  return { where, database: Number(database ?? 0), password };
}

/** What a server answers: arrays may hold arrays. */
export type RedisReply = Buffer | string | number | bigint | boolean | null | readonly RedisReply[];

export class RedisConnection implements PooledConnection {
  readonly #client: Redis;

  private constructor(client: Redis) {
    this.#client = client;
    // errors are told to who asks, and by the state of the connection
    client.on('error', () => undefined);
  }

  /** @throws an error that says why there is no connection */
  static async open({ where, database, password }: RedisPlace): Promise<RedisConnection> {
    const client = new (loadRedis().Redis)({
      ...where,
      db: database,
      ...(password === '' ? {} : { password }),
      lazyConnect: true,
      retryStrategy: () => null,
      maxRetriesPerRequest: 0,
      enableOfflineQueue: false,
      enableReadyCheck: false,
      autoResendUnfulfilledCommands: false,
      connectTimeout: connectTime,
      commandTimeout: queryTime,
    });
    const connection = new RedisConnection(client);
    const reasons: unknown[] = [];
    client.on('error', (error: unknown) => reasons.push(error));
    try {
      await client.connect();
      // a wrong password or number of a database is told only with the first question
      await client.ping();
      return connection;
    } catch (error) {
      connection.close();
      throw new Error(errorText(reasons[0] ?? error));
    }
  }

  get isUsable(): boolean {
    return this.#client.status === 'ready';
  }

  hold(holds: boolean): void {
    const { stream } = this.#client;
    if (holds) (stream as { ref?: () => void }).ref?.();
    else (stream as { unref?: () => void }).unref?.();
  }

  close(): void {
    this.#client.disconnect(false);
  }

  /** @throws the server's error (`isServerError`), or that of the connection */
  async run({ name, args }: RedisCommand): Promise<RedisReply> {
    const words = args.map((arg) => Buffer.from(arg, 'latin1'));
    return (await this.#client.callBuffer(name, ...words)) as RedisReply;
  }
}

/** Whether the server took the question and says that something is wrong with it. */
export function isServerError(error: unknown): error is Error {
  return error instanceof Error && error.name === 'ReplyError';
}
