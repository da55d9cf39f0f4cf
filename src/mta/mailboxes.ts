/**
 * Opens mailboxes for readers: in this process when it has the rights of the owner, else in a process that runs as him.
 * Never as root. One reader at a time has a mailbox.
 */

import { mayBecomeOthers } from '../safe/privileges.ts';
import type { Mailbox, MailboxPlace, Opened } from '../store/mailbox.ts';
import { openMailbox } from '../store/open.ts';
import { MailboxProcess } from './mailbox-process.ts';
import { hasRights, noRight, type Rights, type SelfCommand } from './user-process.ts';

/** Processes without mailboxes that are kept for owners who come again soon. */
const mostIdle = 8;

export class Mailboxes {
  readonly #self: SelfCommand;
  readonly #processes = new Map<string, MailboxProcess>();
  /** Paths of those that somebody has. */
  readonly #taken = new Set<string>();

  constructor(self: SelfCommand) {
    this.#self = self;
  }

  async open(place: MailboxPlace, rights: Rights): Promise<Opened> {
    if (rights.uid === 0) {
      return { outcome: 'failed', message: 'a mailbox is never opened as root', lasting: true };
    }
    const { path } = place;
    if (this.#taken.has(path)) return { outcome: 'in use', message: `${path} is open in another session` };
    this.#taken.add(path);
    const opened = await this.#openWith(rights, place);
    if (opened.outcome === 'opened') return { outcome: 'opened', mailbox: this.#kept(path, opened.mailbox) };
    this.#taken.delete(path);
    return opened;
  }

  async #openWith(rights: Rights, place: MailboxPlace): Promise<Opened> {
    if (hasRights(rights)) return openMailbox(place);
    if (!mayBecomeOthers()) return { outcome: 'failed', message: noRight(rights), lasting: true };
    const key = `${rights.uid} ${rights.gid} ${rights.allGroups}`;
    let found = this.#processes.get(key);
    if (found === undefined) {
      const made = new MailboxProcess(this.#self, rights, () => {
        if (this.#processes.get(key) === made) this.#processes.delete(key);
      });
      this.#processes.set(key, made);
      found = made;
    }
    return found.open(place);
  }

  /** A mailbox that can be opened again when it is closed. */
  #kept(path: string, mailbox: Mailbox): Mailbox {
    return {
      messages: mailbox.messages,
      unreadable: mailbox.unreadable,
      read: (message, position) => mailbox.read(message, position),
      commit: (changes) => mailbox.commit(changes),
      close: () => {
        mailbox.close();
        this.#taken.delete(path);
        this.#endIdle();
      },
    };
  }

  /** Ends those processes that have been without a mailbox for longest, when there are many: each has its memory. */
  #endIdle(): void {
    const idle = [...this.#processes.values()]
      .map((process) => ({ process, since: process.idleSince }))
      .filter((each): each is typeof each & { readonly since: number } => each.since !== undefined)
      .sort((one, other) => other.since - one.since);
    for (const { process } of idle.slice(mostIdle)) process.end();
  }

  /** Ends the processes when they have done what they were asked. */
  close(): void {
    for (const each of this.#processes.values()) each.end();
  }
}
