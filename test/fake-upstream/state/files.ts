import { randomUUID } from 'node:crypto';

/** A file as the site keeps it (protocol 7), without its bytes. */
export interface StoredFile {
  readonly id: string;
  readonly userId: string;
  readonly filename: string;
  readonly contentType: string;
  readonly size: number;
}

/** The uploaded files; nobody may refer to another one's. */
export interface Files {
  readonly add: (file: Omit<StoredFile, 'id'>) => StoredFile;
  readonly find: (userId: string, id: string) => StoredFile | undefined;
  readonly all: () => readonly StoredFile[];
  readonly clear: () => void;
}

export function createFiles(): Files {
  const files = new Map<string, StoredFile>();
  return {
    add(file) {
      const stored = { ...file, id: randomUUID() };
      files.set(stored.id, stored);
      return stored;
    },
    find(userId, id) {
      const file = files.get(id);
      return file?.userId === userId ? file : undefined;
    },
    all: () => [...files.values()],
    clear: () => files.clear(),
  };
}
