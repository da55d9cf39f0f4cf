/**
 * Connections to one server of a database, which are used again: no more than a few at a time, those that nobody uses
 * are closed after a while and never keep a command from ending. Connections that break are dropped where they stand, so
 * a server that was started again is found at the next question.
 */

/** An open connection as its library gives it. */
export interface PooledConnection {
  /** Whether it can take another question. */
  readonly isUsable: boolean;
  /** Whether it keeps the process running. */
  hold(holds: boolean): void;
  close(): void;
}

const most = 10;
/** Milliseconds that an unused connection stays open. */
const idleTime = 60_000;

interface Idle<C> {
  readonly connection: C;
  readonly timer: NodeJS.Timeout;
}

export class ServerPool<C extends PooledConnection> {
  readonly #open: () => Promise<C>;
  readonly #idle: Idle<C>[] = [];
  readonly #waiting: (() => void)[] = [];
  #used = 0;
  #closed = false;

  constructor(open: () => Promise<C>) {
    this.#open = open;
  }

  /** Asks on a connection; `fresh` makes a new one, because those that are open may be dead. */
  async use<T>(work: (connection: C) => Promise<T>, fresh = false): Promise<T> {
    while (this.#used >= most) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    this.#used++;
    try {
      if (fresh) this.#dropIdle();
      const connection = this.#takeIdle() ?? (await this.#open());
      connection.hold(true);
      try {
        return await work(connection);
      } finally {
        this.#giveBack(connection);
      }
    } finally {
      this.#used--;
      this.#waiting.shift()?.();
    }
  }

  close(): void {
    this.#closed = true;
    this.#dropIdle();
  }

  #takeIdle(): C | undefined {
    for (let last = this.#idle.pop(); last !== undefined; last = this.#idle.pop()) {
      clearTimeout(last.timer);
      if (last.connection.isUsable) return last.connection;
      last.connection.close();
    }
    return undefined;
  }

  #giveBack(connection: C): void {
    if (this.#closed || !connection.isUsable) {
      connection.close();
      return;
    }
    connection.hold(false);
    const idle: Idle<C> = {
      connection,
      timer: setTimeout(() => {
        const index = this.#idle.indexOf(idle);
        if (index >= 0) this.#idle.splice(index, 1);
        connection.close();
      }, idleTime).unref(),
    };
    this.#idle.push(idle);
  }

  #dropIdle(): void {
    for (const { connection, timer } of this.#idle.splice(0)) {
      clearTimeout(timer);
      connection.close();
    }
  }
}
