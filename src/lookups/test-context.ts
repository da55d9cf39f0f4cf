/** A context for tests of lookups: nothing is known of any mail, and only lookups are served. */

import type { Context, Services } from '../expand/context.ts';
import { freshResults } from '../expand/expand.ts';
import { nobody } from '../observe/decision.ts';
import { literal } from '../safe/taint.ts';
import type { Lookups } from './lookups.ts';

function refuse(what: string): () => never {
  return () => {
    throw new Error(`${what} is not part of this test`);
  };
}

/** A fresh context, whose lookups are those given. */
export function testContext(lookups?: Lookups): Context {
  const noLookups = refuse('a lookup');
  const services: Services = {
    lookupStyle: lookups === undefined ? noLookups : (type) => lookups.style(type),
    lookup: lookups === undefined ? noLookups : (request, context) => lookups.find(request, context),
    quote: lookups === undefined ? noLookups : (type, text, option) => lookups.quote(type, text, option),
    matchList: refuse('matchList'),
    matchIp: refuse('matchIp'),
    namedList: refuse('namedList'),
    namedListItems: refuse('namedListItems'),
    hostAddresses: refuse('hostAddresses'),
    mailExchangers: refuse('mailExchangers'),
    localAddresses: refuse('localAddresses'),
    runAcl: refuse('runAcl'),
    run: refuse('run'),
    readSocket: refuse('readSocket'),
    callPerl: refuse('callPerl'),
    authenticate: refuse('authenticate'),
    findHostName: refuse('findHostName'),
    log: () => undefined,
    queueSize: refuse('queueSize'),
  };
  return {
    settings: {
      primaryHostname: 'host.example',
      qualifyDomain: 'example.com',
      qualifyRecipient: 'example.com',
      spoolDirectory: '/var/spool/tabella',
      configFile: '/etc/tabella/exim.conf',
      eximPath: '/usr/bin/exim',
      eximUid: 8,
      eximGid: 8,
      localhostNumber: '',
      bounceReturnSizeLimit: 100_000,
      headersCharset: 'UTF-8',
      printTopBitCharacters: false,
      allowUtf8Domains: false,
      checkRfc2047Length: true,
      strictAclVars: false,
      logsIncomingPort: false,
      messageBodyVisible: 500,
      messageBodyNewlines: false,
      logFileDirectory: undefined,
      spfGuess: '',
      environment: new Map(),
    },
    services,
    decisions: nobody,
    connection: undefined,
    message: undefined,
    address: undefined,
    delivery: undefined,
    acl: undefined,
    results: freshResults(),
    found: new Map(),
    queueName: literal(''),
    depth: 0,
  };
}
