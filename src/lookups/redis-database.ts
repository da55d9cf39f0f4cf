/**
 * Commands for Redis and Valkey servers. What came from outside is an argument or part of
 * one (`redis-command.ts`). A server that is away, or that sends the question elsewhere, defers or leaves it to the next.
 */

import type { Context } from '../expand/context.ts';
import { upper } from '../lib/octets.ts';
import type { Clean, Text } from '../safe/taint.ts';
import { type Database, type Found, type LookupOptions, LookupProblem, notFound } from './lookup.ts';
import { parseRedisCommand, type RedisCommand } from './redis-command.ts';
import { isServerError, RedisConnection, type RedisPlace, type RedisReply, redisPlace } from './redis-connection.ts';
import { askInTurn, type DatabaseNames, type ServerAnswer, ServerOrder, serversFor } from './server-list.ts';
import { ServerPool } from './server-pool.ts';
import type { Surroundings } from './surroundings.ts';
import { UnquotedComplaints } from './unquoted.ts';

const names: DatabaseNames = { product: 'Redis', option: 'redis_servers' };

/** Octets of an answer. */
const longest = 16 * 1024 * 1024;

/** Commands that change nothing: their answers are kept for the line of work. */
const reading: ReadonlySet<string> = new Set([
  'GET',
  'MGET',
  'STRLEN',
  'GETRANGE',
  'EXISTS',
  'TYPE',
  'TTL',
  'KEYS',
  'HGET',
  'HMGET',
  'HGETALL',
  'HKEYS',
  'HVALS',
  'HLEN',
  'HEXISTS',
  'SMEMBERS',
  'SISMEMBER',
  'SCARD',
  'LRANGE',
  'LINDEX',
  'LLEN',
  'ZRANGE',
  'ZSCORE',
  'ZRANK',
  'ZCARD',
  'PING',
  'ECHO',
]);

class Unreachable extends Error {}

function opener(place: RedisPlace): () => Promise<RedisConnection> {
  return async () => {
    try {
      return await RedisConnection.open(place);
    } catch (error) {
      const { where } = place;
      const server = 'path' in where ? where.path : `${where.host}:${where.port}`;
      throw new Unreachable(`REDIS connection failed: ${server}: ${error instanceof Error ? error.message : ''}`);
    }
  };
}

/** The servers, and what is open of them. */
export class RedisDatabase implements Database {
  readonly #pools = new Map<Clean, ServerPool<RedisConnection>>();
  readonly #order = new ServerOrder();
  readonly #complaints = new UnquotedComplaints();
  readonly #surroundings: Surroundings;

  constructor(surroundings: Surroundings) {
    this.#surroundings = surroundings;
  }

  async find(text: Text, options: LookupOptions, context: Context): Promise<Found> {
    const found = serversFor(text, options, this.#surroundings.main.redis_servers, names);
    if ('error' in found) return { outcome: 'defer', message: found.error };
    const command = parseRedisCommand(found.query);
    if (command === undefined) return notFound;
    if ('error' in command) throw new LookupProblem(command.error);
    if (command.unquoted) this.#complaints.complain(found.query, context);
    return askInTurn(found.servers, this.#order, (server) => this.#ask(server, command));
  }

  close(): void {
    for (const pool of this.#pools.values()) pool.close();
    this.#pools.clear();
  }

  async #ask(item: Clean, command: RedisCommand): Promise<ServerAnswer> {
    const pool = this.#pool(item);
    if ('error' in pool) return { outcome: 'defer', message: pool.error, final: true };
    const reads = reading.has(upper(command.name));
    const work = (connection: RedisConnection): Promise<RedisReply> => connection.run(command);
    try {
      const reply = await pool.use(work).catch((error: unknown) => {
        if (error instanceof Unreachable || isServerError(error) || !reads) throw error;
        // the connection was an old one, and the server was started again meanwhile
        return pool.use(work, true);
      });
      return answerOf(reply, reads);
    } catch (error) {
      if (error instanceof LookupProblem) throw error;
      if (error instanceof Unreachable) return { outcome: 'defer', message: error.message, unreachable: true };
      const reason = error instanceof Error ? error.message : String(error);
      return { outcome: 'defer', message: `REDIS: query failed: ${reason}`, unreachable: !isServerError(error) };
    }
  }

  #pool(item: Clean): ServerPool<RedisConnection> | { readonly error: string } {
    const known = this.#pools.get(item);
    if (known !== undefined) return known;
    const place = redisPlace(item);
    if ('error' in place) return place;
    const pool = new ServerPool(opener(place));
    this.#pools.set(item, pool);
    return pool;
  }
}

function answerOf(reply: RedisReply, reads: boolean): Found {
  if (reply === null) return notFound;
  const value = textOf(reply);
  if (value.length > longest) throw new LookupProblem('the answer to a redis query is longer than 16 MB');
  if (typeof reply === 'object' && !Buffer.isBuffer(reply) && reply.length === 0) return notFound;
  return { outcome: 'found', value, changed: !reads };
}

/** Octets as they are, numbers in decimal, the values of an array one below the other. */
function textOf(reply: RedisReply): string {
  if (reply === null) return '';
  if (Buffer.isBuffer(reply)) return reply.toString('latin1');
  if (typeof reply !== 'object') return String(reply);
  return reply.map(textOf).join('\n');
}
