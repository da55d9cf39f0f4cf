/** A run of an ACL for tests of its conditions: a client at 192.0.2.7, hints in a directory, and a log that is kept. */

import { compileTemplate } from '../expand/expand.ts';
import { newAclFacts, newConnection } from '../expand/facts.ts';
import { RateHints } from '../hints/rate-hints.ts';
import { SeenHints } from '../hints/seen-hints.ts';
import type { TestDirectory } from '../lib/test-directory.ts';
import { testContext } from '../lookups/test-context.ts';
import type { Resolver } from '../net/dns.ts';
import { type AclRun, type AclServices, newControls, type Phase } from './acl.ts';
import type { MessageCopy } from './message-copy.ts';

export interface TestRun {
  readonly run: AclRun;
  readonly log: string[];
}

export interface TestRunOptions {
  readonly phase?: Phase;
  readonly directory?: TestDirectory;
  readonly resolver?: Resolver;
  readonly recipient?: string;
  readonly message?: MessageCopy;
  readonly avScanner?: string;
  readonly spamdAddress?: string;
}

const fail = (error: unknown): never => {
  throw error;
};

function unused(what: string): () => never {
  return () => fail(new Error(`${what} is not part of this test`));
}

export function testRun(options: TestRunOptions = {}): TestRun {
  const { phase = 'RCPT', directory, resolver, recipient = 'u@d.test', message } = options;
  const { avScanner = '', spamdAddress = '' } = options;
  const log: string[] = [];
  const context = testContext();
  context.connection = { ...newConnection('192.0.2.7', 1025), heloName: 'cl.test' };
  context.acl = newAclFacts();
  const place = directory?.path;
  const services: AclServices = {
    verifier: {
      recipient: unused('verification'),
      sender: unused('verification'),
      helo: unused('verification'),
      headers: unused('verification'),
      headerSender: unused('verification'),
    },
    resolver: resolver ?? { resolve: unused('the DNS') },
    csa: { dns_csa_search_limit: 5, dns_csa_use_reverse: true },
    rates: place === undefined ? (undefined as never) : new RateHints(place, undefined, fail),
    seen: place === undefined ? (undefined as never) : new SeenHints(place, undefined, fail),
    delay: unused('a delay'),
    message: () => message,
    mimePart: () => undefined,
    scanners: {
      avScanner: compileTemplate(avScanner),
      spamdAddress: compileTemplate(spamdAddress),
      spamAnswers: new Map(),
      malwareAnswer: undefined,
    },
    arc: () => undefined,
    dmarc: unused('DMARC'),
    spf: { guess: '', commentTemplate: compileTemplate('') },
    log: (_, text) => {
      log.push(text);
    },
    hostText: () => '',
    named: () => undefined,
    logsSkippedWarnings: true,
    logsDeferredDnsLists: true,
  };
  const [localPart = '', domain = ''] = recipient.split('@');
  const run: AclRun = {
    phase,
    context,
    services,
    controls: newControls(),
    addedHeaders: [],
    removedHeaders: [],
    recipient: { address: recipient, localPart, domain },
    measured: { connection: new Map(), message: new Map(), recipient: new Map() },
    warned: new Set(),
    userMessage: undefined,
    logMessage: undefined,
    smtpCode: true,
    senderProblem: undefined,
    rejectTargets: [],
  };
  return { run, log };
}
