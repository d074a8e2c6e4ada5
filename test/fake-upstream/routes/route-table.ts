import { answerAuths, answerGuest } from './auths.ts';
import { createChat, deleteChat, deleteChats, listChats, readChat } from './chats.ts';
import { answerCompletion } from './completion.ts';
import { acceptFile } from './files.ts';
import { answerConfig, answerIndex, answerModels } from './site.ts';
import { platformRoutes } from '../platform/platform-routes.ts';
import type { Exchange } from './exchange.ts';

/** `id` is the last part of the path where the pattern has one. */
type Handler = (exchange: Exchange, id: string) => void | Promise<void>;

interface Route {
  readonly pattern: RegExp;
  readonly handlers: Readonly<Record<string, Handler>>;
}

/** Protocol 11, routes 1 to 8; the v1 completion path is not here and so 404, like any unknown one. */
const routes: readonly Route[] = [
  { pattern: /^\/$/, handlers: { GET: answerIndex } },
  { pattern: /^\/api\/v1\/auths\/?$/, handlers: { GET: answerAuths } },
  { pattern: /^\/api\/v1\/auths\/guest$/, handlers: { POST: answerGuest } },
  { pattern: /^\/api\/config$/, handlers: { GET: answerConfig } },
  { pattern: /^\/api\/models$/, handlers: { GET: answerModels } },
  { pattern: /^\/api\/v1\/chats\/new$/, handlers: { POST: createChat } },
  { pattern: /^\/api\/v1\/chats\/?$/, handlers: { GET: listChats, DELETE: deleteChats } },
  { pattern: /^\/api\/v1\/chats\/([^/]+)$/, handlers: { GET: readChat, DELETE: deleteChat } },
  { pattern: /^\/api\/v1\/files\/?$/, handlers: { POST: acceptFile } },
  { pattern: /^\/api\/v2\/chat\/completions$/, handlers: { POST: answerCompletion } },
  ...platformRoutes,
];

/** The first route that fits the path. */
export function findRoute(path: string): { handlers: Route['handlers']; id: string } | undefined {
  for (const { pattern, handlers } of routes) {
    const match = pattern.exec(path);
    if (match) return { handlers, id: match[1] ?? '' };
  }
  return undefined;
}
