/** `${authresults{id}}`: what is known of the sender's authenticity, as a header line (RFC 8601; Exim spec 11.5). */

import { arcResult } from '../../origin/arc-verify.ts';
import { authenticationResult } from '../../origin/dkim-verdict.ts';
import { dmarcResult } from '../../origin/dmarc.ts';
import { Text } from '../../safe/taint.ts';
import type { Context } from '../context.ts';
import { type Item, plainItem } from '../evaluate.ts';

/** `iprev`: whether the name of the host leads back to its address; nothing when nobody has looked. */
function reverseResult({ connection }: Context): readonly string[] {
  if (connection === undefined || connection.hostAddress === '') return [];
  const address = `smtp.remote-ip=${connection.hostAddress}`;
  if (connection.hostName !== '') return [`iprev=pass (${connection.hostName}) ${address}`];
  if (connection.hostLookupDeferred) return [`iprev=temperror ${address}`];
  return connection.hostLookupFailed ? [`iprev=fail ${address}`] : [];
}

function authResult({ connection, message }: Context): readonly string[] {
  if (connection === undefined || connection.authenticator === '') return [];
  const method = connection.authenticatorPublicName ?? connection.authenticator;
  const id = connection.authenticatedId === '' ? '' : ` smtp.auth=${connection.authenticatedId}`;
  const sender = message?.authenticatedSender ?? '';
  return [`auth=pass (${method})${id}${sender === '' ? '' : ` smtp.mailfrom=${sender}`}`];
}

/** What SPF says, when somebody has asked. */
function spfResult({ message }: Context): readonly string[] {
  if (message?.spf === undefined) return [];
  const { result, isGuessed, identity, domain } = message.spf;
  return [`spf=${result}${isGuessed ? ' (best guess record for domain)' : ''} smtp.${identity}=${domain}`];
}

/** What DMARC says, when somebody has asked. */
function dmarcResults({ message }: Context): readonly string[] {
  const result = message?.dmarc && dmarcResult(message.dmarc);
  return result === undefined ? [] : [result];
}

/** What the chain of ARC sets came to, when somebody has asked. */
function arcResults({ message, connection }: Context): readonly string[] {
  return message?.arc === undefined ? [] : [arcResult(message.arc, connection?.hostAddress ?? '')];
}

/** For each DKIM signature, what was found, or what an ACL has made of it. */
function dkimResults({ message }: Context): readonly string[] {
  const facts = message?.dkim;
  if (facts === undefined) return [];
  const overruled = facts.isOverruled ? `${facts.status} - ${facts.reason}` : undefined;
  return facts.verdicts.map((verdict) => authenticationResult(verdict, overruled));
}

export const authenticationResults: Item = plainItem({
  name: 'authresults',
  doc: 'an Authentication-Results: line',
  minimum: 1,
  maximum: 1,
  evaluate: ([id = Text.empty], context) => {
    const found = [
      ...reverseResult(context),
      ...authResult(context),
      ...spfResult(context),
      ...dkimResults(context),
      ...dmarcResults(context),
      ...arcResults(context),
    ];
    const results = found.map((result) => `;\n\t${result}`).join('');
    return Text.join([
      Text.configured('Authentication-Results: '),
      id,
      results === '' ? Text.empty : Text.tainted(results.replace(/[\r\0]|\n(?!\t)/g, ' ')),
    ]);
  },
});
