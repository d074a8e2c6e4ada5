import { readFileSync } from 'node:fs';
import { ConfigError, type Logger } from '@zai2api/runtime';
import type { TokenRefresherSettings } from './config.ts';
import { parseUserTokens, type UserToken } from './user-tokens.ts';
import { watchFile, type FileWatch } from './watch-file.ts';

/** The operator's tokens as they are configured right now. */
export interface UserTokenSource {
  /** Those of the setting, then those of the file, each once. */
  current(): readonly UserToken[];
  /** Watches the file, if there is one; `onChange` after other tokens were read from it. */
  start(onChange: () => void): void;
  stop(): void;
}

/** Far more than anybody has tokens for. */
const MAX_FILE_BYTES = 1_048_576;

/**
 * Reads both sources. Throws a ConfigError for what cannot be used at the start; later, a file that is missing or bad leaves the tokens as
 * they are and is logged once.
 */
export function openUserTokenSource(options: {
  settings: Pick<TokenRefresherSettings, 'ZAI_UPSTREAM_TOKEN' | 'ZAI_UPSTREAM_TOKEN_FILE'>;
  logger: Logger;
  checkIntervalMs?: number;
}): UserTokenSource {
  const { settings, logger } = options;
  const path = settings.ZAI_UPSTREAM_TOKEN_FILE;
  const fixed = parseUserTokens(settings.ZAI_UPSTREAM_TOKEN?.reveal() ?? '', 'ZAI_UPSTREAM_TOKEN');
  let fromFile = path === undefined ? [] : readTokenFile(path);
  let isFileBad = false;
  let watch: FileWatch | undefined;

  /** True when the file holds other tokens than before. */
  function readAgain(filePath: string): boolean {
    try {
      const next = readTokenFile(filePath);
      if (isFileBad) logger.info('ZAI_UPSTREAM_TOKEN_FILE can be read again');
      isFileBad = false;
      const isSame = next.length === fromFile.length && next.every(({ id }, index) => id === fromFile[index]?.id);
      fromFile = next;
      return !isSame;
    } catch (error) {
      if (!isFileBad)
        logger.warn({ err: error }, 'ZAI_UPSTREAM_TOKEN_FILE is not usable; the tokens stay as they were');
      isFileBad = true;
      return false;
    }
  }

  return {
    current() {
      const fixedIds = new Set(fixed.map(({ id }) => id));
      return [...fixed, ...fromFile.filter(({ id }) => !fixedIds.has(id))];
    },
    start(onChange) {
      if (path === undefined || watch) return;
      const look = (): void => {
        if (!readAgain(path)) return;
        logger.info({ tokens: fromFile.length }, 'ZAI_UPSTREAM_TOKEN_FILE has changed');
        onChange();
      };
      watch = watchFile(path, look, options);
      // It may have changed between the first reading and the watch.
      look();
    },
    stop: () => watch?.close(),
  };
}

function readTokenFile(path: string): UserToken[] {
  let bytes: Buffer;
  try {
    bytes = readFileSync(path);
  } catch (error) {
    const { code = 'unknown' } = error as NodeJS.ErrnoException;
    throw new ConfigError([`ZAI_UPSTREAM_TOKEN_FILE: the file cannot be read (${code})`]);
  }
  if (bytes.length > MAX_FILE_BYTES) throw new ConfigError(['ZAI_UPSTREAM_TOKEN_FILE: the file is far too long']);
  return parseUserTokens(bytes.toString('utf8'), 'ZAI_UPSTREAM_TOKEN_FILE');
}
