import { z } from 'zod';
import { httpAnswers } from '../http-faults.ts';
import { requireIdentity, sendAnswer, sendFault, sendJson } from './exchange.ts';
import type { Exchange } from './exchange.ts';
import type { Chat } from '../state/chats.ts';

const pageSize = 60;

const creation = z.object({
  chat: z.looseObject({
    models: z.array(z.string()),
    history: z.looseObject({ messages: z.record(z.string(), z.unknown()) }),
  }),
});

const storedChat = ({ id, userId, title, chat, createdAtSeconds }: Chat): Record<string, unknown> => ({
  id,
  user_id: userId,
  title,
  chat,
  updated_at: createdAtSeconds,
  created_at: createdAtSeconds,
  share_id: null,
  archived: false,
});

/** `POST /api/v1/chats/new` (protocol 4.2). */
export function createChat(exchange: Exchange): void {
  const { settings, world, record } = exchange;
  if (settings.chatsFault) {
    sendFault(exchange, settings.chatsFault);
    return;
  }
  const identity = requireIdentity(exchange);
  if (!identity) return;
  const body = creation.safeParse(record.body);
  if (!body.success) {
    sendAnswer(exchange, httpAnswers['422']);
    return;
  }
  const { id, ...rest } = storedChat(
    world.chats.create(identity.userId, body.data.chat, Math.floor(world.nowMs() / 1000)),
  );
  sendJson(exchange, 200, settings.nestChatId ? rest : { id, ...rest });
}

/** `GET /api/v1/chats/?page=&type=`: newest first; an empty array ends paging (protocol 1.5). */
export function listChats(exchange: Exchange): void {
  const { settings, world, record } = exchange;
  if (settings.chatsFault) {
    sendFault(exchange, settings.chatsFault);
    return;
  }
  const identity = requireIdentity(exchange);
  if (!identity) return;
  const page = Math.max(1, Number(record.query['page'] ?? 1) || 1);
  const type = record.query['type'];
  const chats = world.chats.ofUser(identity.userId).filter((chat) => type === undefined || chat.type === type);
  const shown = chats.slice((page - 1) * pageSize, page * pageSize);
  sendJson(
    exchange,
    200,
    shown.map(({ id, title, createdAtSeconds }) => ({
      id,
      title,
      updated_at: createdAtSeconds,
      created_at: createdAtSeconds,
    })),
  );
}

/** `GET /api/v1/chats/{id}`; another one's chat is as unknown as one that never was. */
export function readChat(exchange: Exchange, id: string): void {
  if (exchange.settings.chatsFault) {
    sendFault(exchange, exchange.settings.chatsFault);
    return;
  }
  const identity = requireIdentity(exchange);
  if (!identity) return;
  const chat = exchange.world.chats.find(identity.userId, id);
  if (chat) sendJson(exchange, 200, storedChat(chat));
  else sendAnswer(exchange, httpAnswers['404']);
}

/** `DELETE /api/v1/chats/{id}` answers `true`. */
export function deleteChat(exchange: Exchange, id: string): void {
  if (exchange.settings.chatDeleteFault) {
    sendFault(exchange, exchange.settings.chatDeleteFault);
    return;
  }
  const identity = requireIdentity(exchange);
  if (!identity) return;
  if (exchange.world.chats.delete(identity.userId, id)) sendJson(exchange, 200, true);
  else sendAnswer(exchange, httpAnswers['404']);
}

/** `DELETE /api/v1/chats/`: every chat of this identity. */
export function deleteChats(exchange: Exchange): void {
  if (exchange.settings.chatDeleteFault) {
    sendFault(exchange, exchange.settings.chatDeleteFault);
    return;
  }
  const identity = requireIdentity(exchange);
  if (!identity) return;
  exchange.world.chats.deleteAll(identity.userId);
  sendJson(exchange, 200, true);
}
