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
import { ServerPools, Unreachable } from './server-pools.ts';
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
  readonly #servers = new ServerPools(redisPlace, opener);
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
    this.#servers.close();
  }

  #ask(item: Clean, command: RedisCommand): Promise<ServerAnswer> {
    const reads = reading.has(upper(command.name));
    const work = async (connection: RedisConnection): Promise<Found> => answerOf(await connection.run(command), reads);
    return this.#servers.ask(item, work, {
      repeats: (error) => reads && !isServerError(error),
      answer(error) {
        const reason = error instanceof Error ? error.message : String(error);
        return { outcome: 'defer', message: `REDIS: query failed: ${reason}`, unreachable: !isServerError(error) };
      },
    });
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
