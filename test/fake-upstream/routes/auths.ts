import { setTimeout as wait } from 'node:timers/promises';
import { httpAnswers } from '../http-faults.ts';
import { sendAnswer, sendFault, sendJson } from './exchange.ts';
import { cookieToken } from './read-request.ts';
import type { Exchange } from './exchange.ts';
import type { Identity } from '../state/identities.ts';

/** True when a fault was sent; counts `authFailTimes` down. */
function failed(exchange: Exchange): boolean {
  const { world } = exchange;
  const { authFault, authFailTimes } = world.settings();
  if (!authFault || authFailTimes === 0) return false;
  if (authFailTimes !== null) world.configure({ authFailTimes: authFailTimes - 1 });
  sendFault(exchange, authFault);
  return true;
}

const cookie = (token: string): Record<string, string> => ({ 'set-cookie': `token=${token}; Path=/; SameSite=Lax` });

function sendIdentity(exchange: Exchange, token: string, identity: Identity): void {
  const { userId, email, name, role } = identity;
  const body = { id: userId, email, name, role, profile_image_url: '/static/user.png', token, token_type: 'Bearer' };
  sendJson(exchange, 200, body, cookie(token));
}

function newGuest({ world, settings }: Exchange): { token: string; identity: Identity } {
  return world.identities.addGuest(settings.guestLifetimeSeconds);
}

/** `GET /api/v1/auths/`: who am I, or else a new guest (protocol 1.1, 1.2, 2). */
export async function answerAuths(exchange: Exchange): Promise<void> {
  const { world, settings, raw, bearer, signal } = exchange;
  if (settings.authDelayMs > 0) await wait(settings.authDelayMs, undefined, { signal });
  if (failed(exchange)) return;
  const token = bearer ?? cookieToken(raw);
  const identity = token === undefined ? undefined : world.identities.find(token);
  if (token !== undefined && identity) {
    const rotates = settings.rotateUserTokens && identity.role === 'user';
    sendIdentity(exchange, rotates ? world.identities.rotate(identity) : token, identity);
    return;
  }
  if (bearer !== undefined && settings.deadTokenAnswer === '401') {
    sendAnswer(exchange, httpAnswers['401']);
    return;
  }
  const guest = newGuest(exchange);
  sendIdentity(exchange, guest.token, guest.identity);
}

/** `POST /api/v1/auths/guest`: always a new guest, and only its token (protocol 1.1). */
export async function answerGuest(exchange: Exchange): Promise<void> {
  if (exchange.settings.authDelayMs > 0)
    await wait(exchange.settings.authDelayMs, undefined, { signal: exchange.signal });
  if (failed(exchange)) return;
  const { token } = newGuest(exchange);
  sendJson(exchange, 200, { token }, cookie(token));
}
