/** Fresh facts for expansions: of a connection, of a message, of an ACL, before anything is known. */

import * as clock from '../lib/clock.ts';
import { Text } from '../safe/taint.ts';
import type { AclFacts, ConnectionFacts, FilterFacts, MessageFacts } from './context.ts';

/** A connection from a host; an empty address stands for a local process. */
export function newConnection(hostAddress: string, hostPort: number): ConnectionFacts {
  return {
    hostAddress,
    hostPort,
    interfaceAddress: '',
    interfacePort: 0,
    hostName: '',
    hostAliases: [],
    hostLookupFailed: false,
    hostLookupDeferred: false,
    heloName: '',
    ident: '',
    activeHostname: Text.empty,
    receivedProtocol: '',
    authenticator: '',
    authenticatedId: '',
    authenticatedFailId: '',
    authenticationFailed: false,
    tls: undefined,
    command: '',
    commandArgument: '',
    commandHistory: [],
    countAtStart: 0,
    notQuitReason: '',
    aclVariables: new Map(),
  };
}

/** What stands for a connection when a local process hands a message over. */
export function localConnection(login: string): ConnectionFacts {
  return { ...newConnection('', 0), ident: login, aclVariables: new Map() };
}

export function emptyMessage(sender: string, originator: { readonly uid: number; readonly gid: number }): MessageFacts {
  return {
    id: '',
    sender,
    recipients: [],
    recipientsCount: 0,
    headers: [],
    size: 0,
    bodySize: 0,
    lineCount: 0,
    bodyLineCount: 0,
    bodyZeroCount: 0,
    maxReceivedLineLength: 0,
    smtpUtf8: false,
    prdrRequested: false,
    receivedTime: clock.seconds(),
    receivedCount: 0,
    receivedFor: '',
    originatorUid: originator.uid,
    originatorGid: originator.gid,
    authenticatedSender: '',
    rcptCount: 0,
    rcptDeferCount: 0,
    rcptFailCount: 0,
    bounceRecipient: '',
    warningDelay: '',
    warningRecipients: '',
    aclVariables: new Map(),
    body: () => '',
  };
}

export function newAclFacts(): AclFacts {
  return {
    arguments: [],
    verifyMessage: '',
    senderVerifyFailure: '',
    recipientVerifyFailure: '',
    verifyMode: '',
    senderAddressData: undefined,
    senderData: undefined,
    recipientData: undefined,
    hostData: undefined,
    headersAdded: [],
  };
}

/** A filter that has done nothing yet and may do everything. */
export function emptyFilterFacts(): FilterFacts {
  return {
    numbers: new Array<number>(10).fill(0),
    thisAddress: Text.empty,
    charset: undefined,
    showsRecipients: false,
    forbidden: new Set(),
    user: undefined,
  };
}
