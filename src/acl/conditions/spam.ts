/** `spam`: whether SpamAssassin or Rspamd takes the message for spam (Exim spec 45.2, 45.3). */

import { lower, trim } from '../../lib/octets.ts';
import type { AclRun, ConditionAnswer, TextCondition } from '../acl.ts';
import { withoutWholeMessage } from '../phases.ts';
import { connectScanner } from '../scan/scanner-connection.ts';
import { scannerSetting } from '../scan/settings.ts';
import { askSpamd, type SpamVerdict } from '../scan/spamd.ts';
import { chooseServer, parseSpamdServers, type SpamdServer } from '../scan/spamd-servers.ts';

type Outcome = SpamVerdict | 'defer';

/** Asks the first server that can be reached. */
async function ask(servers: readonly SpamdServer[], user: string, run: AclRun): Promise<Outcome> {
  const { services, context } = run;
  const complain = (text: string): 'defer' => {
    services.log(['main', 'panic'], `spam acl condition: ${text}`);
    return 'defer';
  };
  const copy = services.message();
  if (copy === undefined) return 'defer';
  let rest = servers;
  for (let server = chooseServer(rest); server !== undefined; server = chooseServer(rest)) {
    if (server.place === undefined) complain(`spamd: invalid socket '${server.text}'`);
    else {
      const connection = await connectScanner(server.place, server, context);
      if (connection.outcome === 'connected') {
        const { stream, place } = connection;
        const answer = await askSpamd(server, place, stream, user, copy, context);
        return 'problem' in answer ? complain(answer.problem) : answer;
      }
      complain(`spamd: ${connection.message}`);
    }
    const tried = server;
    rest = rest.filter((each) => each !== tried);
  }
  return complain('all spamd servers failed');
}

async function scan(user: string, run: AclRun): Promise<Outcome> {
  const { services, context } = run;
  const { spamdAddress, spamAnswers } = services.scanners;
  const complain = (text: string): 'defer' => {
    services.log(['main', 'panic'], `spam acl condition: ${text}`);
    return 'defer';
  };
  const setting = await scannerSetting(spamdAddress, 'spamd_address', context);
  if ('problem' in setting) return complain(setting.problem);
  const known = setting.isExpanded ? undefined : spamAnswers.get(user);
  if (known !== undefined) return known;
  const servers = parseSpamdServers(setting.text, complain);
  if (servers.length === 0) {
    return complain('no useable spamd server addresses in spamd_address configuration option.');
  }
  const answer = await ask(servers, user, run);
  if (!setting.isExpanded && answer !== 'defer') spamAnswers.set(user, answer);
  return answer;
}

export const spam: TextCondition = {
  kind: 'condition',
  name: 'spam',
  doc: 'SpamAssassin or Rspamd takes the message for spam: `user[:true][/defer_ok]`.',
  forbidden: withoutWholeMessage,
  async test(text, run): Promise<ConditionAnswer> {
    const [head = '', ...options] = text.split('/').map((part) => trim(part));
    const [user = '', ...modes] = head.split(':').map((part) => trim(part));
    if (['', '0', 'false'].includes(lower(user))) return 'false';
    const answer = await scan(user, run);
    const { context } = run;
    if (context.decisions.listening) {
      const told = answer === 'defer' ? 'defer' : answer.isSpam ? 'spam' : 'no spam';
      context.decisions.step('acl', `spam ${user}`, told, answer === 'defer' ? undefined : answer.facts.score);
    }
    if (answer === 'defer') return options.includes('defer_ok') ? 'false' : { defer: '' };
    if (context.message) context.message.spam = answer.facts;
    return answer.isSpam || modes.some((mode) => lower(mode) === 'true') ? 'true' : 'false';
  },
};
