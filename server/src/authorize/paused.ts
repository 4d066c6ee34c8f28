/**
 * A request of an agent that is paused (ACC-01): the person resumes it and goes on, or keeps it paused, which is a no to the client. What an operator holds nobody resumes
 * here. Not here: what a pause is (storage), what tokens hear of it (token/paused.ts).
 */

import { clientView } from '../account/client-view.ts';
import type { Form } from '../account/form-token.ts';
import { formToken } from '../account/form-token.ts';
import type { SignedIn } from '../account/session.ts';
import { auditEvent } from '../audit/event.ts';
import { pageFrame } from '../page-frame.ts';
import { type Answer, page } from '../route.ts';
import type { Target } from '../servers/resource.ts';
import type { AgentPause, Client } from '../storage/store.ts';
import { pausedPage } from '../views/paused-page.ts';
import type { Place } from './decision.ts';

type Stopped = { tx: string; client: Client; targets: readonly Target[]; signedIn: SignedIn; pause: AgentPause; resource: string; form: Form };

/** The page; its form is the one of consent. */
export async function pausedAnswer({ tx, client, targets, signedIn, pause, resource, form }: Stopped, { browser, exchange, context }: Place): Promise<Answer> {
  const { name, username, email } = signedIn.user;
  const html = pausedPage(pageFrame(exchange, context), {
    tx,
    csrf: formToken(form, browser, context),
    client: await clientView(client, context),
    user: { name: name ?? username, email },
    serverName: targets.find((target) => target.resource === resource)?.server?.name ?? context.options.serviceName,
    by: pause.by,
  });
  return page(html, 200, browser.cookies);
}

/** Takes back what the person did. A hold stays. */
export async function resumeFor({ user }: SignedIn, pause: AgentPause, { exchange, context }: Place): Promise<void> {
  const about = { userId: user.id, address: exchange.address, requestId: exchange.requestId };
  const event = (more: { grantId?: string; detail?: Record<string, boolean> }) =>
    auditEvent('grant.resumed', context.now(), `user:${user.id}`, { ...about, ...more });
  if (pause.by === 'all') await context.store.resumeAllAgents(user.id, event({ detail: { all: true } }));
  if (pause.by === 'agent') await context.store.resumeAgent(user.id, pause.grantId, event({ grantId: pause.grantId }));
}
