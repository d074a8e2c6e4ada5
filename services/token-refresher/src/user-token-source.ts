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

/** What is read counts once it has stayed the same for so long: who writes in place may be half way. */
const DEFAULT_SETTLE_MS = 1_000;
/** And a file without tokens, which is how most writing begins, after so many times as long. */
const EMPTY_SETTLES = 10;
/** Far more than anybody has tokens for. */
const MAX_FILE_BYTES = 1_048_576;

/**
 * Reads both sources. Throws a ConfigError for what cannot be used at the start. Later the file counts when two looks a second apart find the
 * same in it, ten seconds when that is nothing; one that is missing or bad leaves the tokens as they are and is logged once.
 */
export function openUserTokenSource(options: {
  settings: Pick<TokenRefresherSettings, 'ZAI_UPSTREAM_TOKEN' | 'ZAI_UPSTREAM_TOKEN_FILE'>;
  logger: Logger;
  checkIntervalMs?: number;
  settleMs?: number;
}): UserTokenSource {
  const { settings, logger, settleMs = DEFAULT_SETTLE_MS } = options;
  const path = settings.ZAI_UPSTREAM_TOKEN_FILE;
  const fixed = parseUserTokens(settings.ZAI_UPSTREAM_TOKEN?.reveal() ?? '', 'ZAI_UPSTREAM_TOKEN');
  let fromFile = path === undefined ? [] : readTokenFile(path).tokens();
  let isFileBad = false;
  let watch: FileWatch | undefined;
  /** What the last looks found, and since when. */
  let seen: { readonly found: string; readonly sinceMs: number } | undefined;
  let settling: NodeJS.Timeout | undefined;

  /** How long what the file holds has to stay as it is; 0 when it may be taken now. */
  function settlesInMs({ found }: TokenFile): number {
    const nowMs = performance.now();
    if (found !== seen?.found) seen = { found, sinceMs: nowMs };
    const isEmptied = found.trim() === '' && fromFile.length > 0;
    return Math.max(0, seen.sinceMs + settleMs * (isEmptied ? EMPTY_SETTLES : 1) - nowMs);
  }

  /** True when the file holds other tokens than before. */
  function take(file: TokenFile): boolean {
    try {
      const next = file.tokens();
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
        clearTimeout(settling);
        const file = readTokenFile(path);
        const waitMs = settlesInMs(file);
        if (waitMs > 0) {
          settling = setTimeout(look, waitMs).unref();
          return;
        }
        if (!take(file)) return;
        logger.info({ tokens: fromFile.length }, 'ZAI_UPSTREAM_TOKEN_FILE has changed');
        onChange();
      };
      watch = watchFile(path, look, options);
      // It may have changed between the first reading and the watch.
      look();
    },
    stop() {
      watch?.close();
      clearTimeout(settling);
    },
  };
}

/** What one look found in the file. */
interface TokenFile {
  /** Its text, or why that cannot be read, for looks to compare. */
  readonly found: string;
  /** Throws a ConfigError for a file that cannot be used. */
  tokens(): UserToken[];
}

function readTokenFile(path: string): TokenFile {
  try {
    const text = readText(path);
    return { found: text, tokens: () => parseUserTokens(text, 'ZAI_UPSTREAM_TOKEN_FILE') };
  } catch (error) {
    return {
      found: `unreadable: ${String(error)}`,
      tokens() {
        throw error;
      },
    };
  }
}

function readText(path: string): string {
  let bytes: Buffer;
  try {
    bytes = readFileSync(path);
  } catch (error) {
    const { code = 'unknown' } = error as NodeJS.ErrnoException;
    throw new ConfigError([`ZAI_UPSTREAM_TOKEN_FILE: the file cannot be read (${code})`]);
  }
  if (bytes.length > MAX_FILE_BYTES) throw new ConfigError(['ZAI_UPSTREAM_TOKEN_FILE: the file is far too long']);
  return bytes.toString('utf8');
}
