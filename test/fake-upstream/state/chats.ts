import { randomUUID } from 'node:crypto';

export interface StoredChat {
  readonly id: string;
  readonly userId: string;
}

/** A chat as the site keeps it (protocol 4.2): the body of its creation and whose it is. */
export interface Chat extends StoredChat {
  readonly title: string;
  readonly type: string;
  readonly chat: Readonly<Record<string, unknown>>;
  readonly createdAtSeconds: number;
}

/** The stored chats; nobody sees or deletes another one's. */
export interface Chats {
  readonly create: (userId: string, chat: Readonly<Record<string, unknown>>, createdAtSeconds: number) => Chat;
  readonly find: (userId: string, id: string) => Chat | undefined;
  /** Newest first. */
  readonly ofUser: (userId: string) => readonly Chat[];
  /** False when there was no such chat. */
  readonly delete: (userId: string, id: string) => boolean;
  readonly deleteAll: (userId: string) => void;
  readonly all: () => readonly StoredChat[];
  readonly clear: () => void;
}

export function createChats(): Chats {
  const chats = new Map<string, Chat>();
  const find = (userId: string, id: string): Chat | undefined => {
    const chat = chats.get(id);
    return chat?.userId === userId ? chat : undefined;
  };
  const ofUser = (userId: string): Chat[] => [...chats.values()].filter((chat) => chat.userId === userId).reverse();

  return {
    create(userId, chat, createdAtSeconds) {
      const id = randomUUID();
      const title = typeof chat['title'] === 'string' ? chat['title'] : 'New Chat';
      const type = typeof chat['type'] === 'string' ? chat['type'] : 'default';
      const stored: Chat = { id, userId, title, type, chat: { ...chat, id }, createdAtSeconds };
      chats.set(id, stored);
      return stored;
    },
    find,
    ofUser,
    delete: (userId, id) => find(userId, id) !== undefined && chats.delete(id),
    deleteAll(userId) {
      for (const chat of ofUser(userId)) chats.delete(chat.id);
    },
    all: () => [...chats.values()].map(({ id, userId }) => ({ id, userId })),
    clear: () => chats.clear(),
  };
}
