/** VRFY, EXPN and ETRN (Exim spec 49.7, 49.8). */

import { lower } from '../../lib/octets.ts';
import { parseAddress, splitAddress } from '../../mail/address.ts';
import type { Reply } from '../../smtp/server/policy.ts';
import { originalAddress } from '../address.ts';
import { addressOptions } from '../address-options.ts';
import { route } from '../route.ts';
import { routerServices } from '../router-services.ts';
import { verifyAddress } from '../verify.ts';
import { refusal } from './acl-reply.ts';
import { type Reception, shownInLog } from './reception.ts';

function rules({ runtime }: Reception) {
  const { config } = runtime;
  return {
    routers: config.routers,
    transports: config.transports,
    services: routerServices(runtime),
    debugPrint: undefined,
    verifyErrorsTo: undefined,
  };
}

/** The address that VRFY names, with a domain; without one only where recipients may lack it. */
function addressOf(argument: string, reception: Reception): { readonly address: string } | Reply {
  const { runtime } = reception;
  const parsed = parseAddress(argument, addressOptions(runtime.config));
  if ('error' in parsed) return { code: '501', text: parsed.error };
  const { address, domain } = parsed;
  if (domain !== undefined) return { address };
  if (!reception.mayLackDomain.recipient && lower(address) !== 'postmaster') {
    reception.logUnqualified('verify', address);
    return { code: '501', text: `${argument}: recipient address must contain a domain` };
  }
  return { address: `${address}@${runtime.settings.qualifyRecipient}` };
}

export async function vrfy(argument: string, reception: Reception): Promise<Reply> {
  const { acls, runtime, context, fields } = reception;
  const found = addressOf(argument, reception);
  if ('code' in found) return found;
  const { address } = found;
  const option = runtime.config.main.acl_smtp_vrfy;
  const subject = { address, ...splitAddress(address) };
  const result = option === undefined ? acls.denial() : await acls.run('VRFY', option, subject);
  if (result !== undefined && result.outcome !== 'accept') {
    return refusal(result, 'VRFY', `VRFY ${argument}`, reception);
  }
  const verified = await verifyAddress(address, 'verify recipient', context, rules(reception));
  context.address = undefined;
  if (verified.outcome === 'ok') return { code: '250', text: `<${address}> is deliverable` };
  if (verified.outcome === 'defer') {
    return { code: '451', text: `<${address}> ${verified.publicMessage ?? 'Cannot resolve at this time'}` };
  }
  runtime.logs.main(`VRFY failed for ${shownInLog(argument)}${fields}`);
  return { code: '550', text: `<${address}> ${verified.publicMessage ?? ''}` };
}

export async function expn(argument: string, reception: Reception): Promise<Reply> {
  const { acls, runtime, context } = reception;
  const option = runtime.config.main.acl_smtp_expn;
  const result = option === undefined ? acls.denial() : await acls.run('EXPN', option);
  if (result !== undefined && result.outcome !== 'accept') {
    return refusal(result, 'EXPN', `EXPN ${argument}`, reception);
  }
  // the address is taken as it stands
  const address = argument.includes('@') ? argument : `${argument}@${runtime.settings.qualifyRecipient}`;
  const routing = await route(originalAddress(address), context, { ...rules(reception), purpose: 'expn' });
  context.address = undefined;
  switch (routing.outcome) {
    case 'failed':
      return { code: '553', text: `${address} is undeliverable` };
    case 'deferred':
      return { code: '553', text: `${address} cannot be resolved at this time` };
    case 'delivered to':
    case 'discarded':
      return { code: '250', text: `<${address}>` };
    case 'replaced': {
      const names = [
        ...routing.children.map(({ address }) => `<${address}>`),
        ...routing.deliveries.map(({ target }) => `<${target?.text ?? ''}>`),
      ];
      return { code: '250', text: names.join('\n') || `<${address}>` };
    }
  }
}

export async function etrn(argument: string, reception: Reception): Promise<Reply> {
  const { acls, runtime, name, selects, tools } = reception;
  if (reception.transaction !== undefined) return { code: '503', text: 'ETRN is not permitted inside a transaction' };
  const { acl_smtp_etrn: option, smtp_etrn_command: command } = runtime.config.main;
  if (selects('etrn')) runtime.logs.main(`ETRN ${shownInLog(argument)} received from ${name}`);
  const result = option === undefined ? acls.denial() : await acls.run('ETRN', option);
  if (result !== undefined && result.outcome !== 'accept') {
    return refusal(result, 'ETRN', `ETRN ${argument}`, reception);
  }
  if (command === undefined && !argument.startsWith('#')) {
    return { code: '501', text: 'argument must begin with #', mistake: 'syntax' };
  }
  const problem = await tools.etrn(argument, reception.context.queueName);
  return problem === undefined ? { code: '250', text: 'OK' } : { code: '458', text: problem };
}
