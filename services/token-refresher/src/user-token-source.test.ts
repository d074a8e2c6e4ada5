import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { ConfigError, createLogger, Secret } from '@zai2api/runtime';
import { openUserTokenSource, type UserTokenSource } from './user-token-source.ts';

const NEVER_MS = 3_600_000;
const WITHIN_MS = 5_000;
const SETTLE_MS = 50;

let folder: string;
let path: string;
let lines: { level: string; msg: string }[];
let onLine: () => void;
let source: UserTokenSource | undefined;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'zai2api-tokens-'));
  path = join(folder, 'tokens');
  lines = [];
  onLine = () => undefined;
});
afterEach(() => {
  source?.stop();
  rmSync(folder, { recursive: true, force: true });
});

function open(options: {
  token?: string;
  file?: string;
  checkIntervalMs?: number;
  settleMs?: number;
}): UserTokenSource {
  const logger = createLogger(
    { name: 'test', level: 'info', format: 'json' },
    {
      write(line: string) {
        lines.push(JSON.parse(line) as (typeof lines)[number]);
        onLine();
      },
    },
  );
  source = openUserTokenSource({
    settings: {
      ZAI_UPSTREAM_TOKEN: options.token === undefined ? undefined : new Secret(options.token),
      ZAI_UPSTREAM_TOKEN_FILE: options.file,
    },
    logger,
    checkIntervalMs: options.checkIntervalMs ?? NEVER_MS,
    settleMs: options.settleMs ?? SETTLE_MS,
  });
  return source;
}

/** Starts it and gives a way to wait for the next change. */
function startSource(opened: UserTokenSource): { changed: () => Promise<undefined>; readonly changes: number } {
  let changes = 0;
  let waiting: (() => void) | undefined;
  opened.start(() => {
    changes++;
    waiting?.();
  });
  return {
    changed() {
      const { promise, resolve, reject } = Promise.withResolvers<undefined>();
      const timer = setTimeout(() => reject(new Error('No change was told in time.')), WITHIN_MS);
      waiting = () => {
        clearTimeout(timer);
        resolve(undefined);
      };
      return promise;
    },
    get changes() {
      return changes;
    },
  };
}

const configured = (opened: UserTokenSource): string[] => opened.current().map((token) => token.configured);

describe('openUserTokenSource', () => {
  it('has none without settings', () => {
    expect(open({}).current()).toEqual([]);
  });

  it('takes those of the setting and of the file together, each once', () => {
    writeFileSync(path, 'two\nthree\n');
    expect(configured(open({ token: 'one,two', file: path }))).toEqual(['one', 'two', 'three']);
  });

  it('refuses a file that is missing or bad, without its text', () => {
    expect(() => open({ file: path })).toThrow(ConfigError);
    expect(() => open({ file: path })).toThrow('ENOENT');
    writeFileSync(path, 'not a token');
    expect(() => open({ file: path })).toThrow(
      expect.objectContaining({ message: expect.not.stringContaining('not') }),
    );
    writeFileSync(path, 'x'.repeat(1_048_577));
    expect(() => open({ file: path })).toThrow('far too long');
  });

  it('follows a file that is written in place', async () => {
    writeFileSync(path, 'one');
    const opened = open({ file: path });
    const watch = startSource(opened);
    const changed = watch.changed();
    writeFileSync(path, 'one\ntwo');
    await changed;
    expect(configured(opened)).toEqual(['one', 'two']);
  });

  it('follows a mounted secret, whose folder is swapped', async () => {
    const mount = (version: string, text: string): void => {
      mkdirSync(join(folder, version));
      writeFileSync(join(folder, version, 'tokens'), text);
      symlinkSync(version, join(folder, '..data_tmp'));
      renameSync(join(folder, '..data_tmp'), join(folder, '..data'));
    };
    mount('..1', 'one');
    symlinkSync(join('..data', 'tokens'), path);
    const opened = open({ file: path });
    const watch = startSource(opened);
    const changed = watch.changed();
    mount('..2', 'two');
    rmSync(join(folder, '..1'), { recursive: true });
    await changed;
    expect(configured(opened)).toEqual(['two']);
  });

  it('looks by itself where nothing is told', async () => {
    const elsewhere = join(folder, 'elsewhere');
    mkdirSync(elsewhere);
    writeFileSync(join(elsewhere, 'tokens'), 'one');
    symlinkSync(join(elsewhere, 'tokens'), path);
    const opened = open({ file: path, checkIntervalMs: 20 });
    const watch = startSource(opened);
    const changed = watch.changed();
    writeFileSync(join(elsewhere, 'tokens'), 'two');
    await changed;
    expect(configured(opened)).toEqual(['two']);
  });

  it('notices what changed before it was started', async () => {
    writeFileSync(path, 'one');
    const opened = open({ file: path });
    writeFileSync(path, 'two');
    await startSource(opened).changed();
    expect(configured(opened)).toEqual(['two']);
  });

  it('takes nothing from a file while it is being written', async () => {
    writeFileSync(path, 'one');
    const opened = open({ file: path, checkIntervalMs: 10, settleMs: 300 });
    const watch = startSource(opened);
    const changed = watch.changed();
    for (const text of ['', 'tw', 'two\nthr', 'two\nthree\n']) {
      writeFileSync(path, text);
      await new Promise((resolve) => setImmediate(resolve));
    }
    await changed;
    expect([configured(opened), watch.changes]).toEqual([['two', 'three'], 1]);
  });

  it('takes its time over a file that was emptied', async () => {
    writeFileSync(path, 'one');
    const emptied = open({ file: path, checkIntervalMs: 10, settleMs: 300 });
    const empties = startSource(emptied);
    const elsewhere = join(folder, 'elsewhere');
    writeFileSync(elsewhere, 'one');
    const witness = open({ file: elsewhere, checkIntervalMs: 10, settleMs: 300 });
    const gone = empties.changed();
    const changed = startSource(witness).changed();
    writeFileSync(path, '');
    writeFileSync(elsewhere, 'two');
    await changed;
    witness.stop();
    expect(configured(emptied)).toEqual(['one']);
    await gone;
    source = emptied;
    expect(configured(emptied)).toEqual([]);
  });

  it('keeps the tokens while the file is missing or bad, says so once, and goes on', async () => {
    writeFileSync(path, 'one');
    const opened = open({ file: path, checkIntervalMs: 10 });
    const watch = startSource(opened);
    const warned = new Promise<void>((resolve) => (onLine = resolve));
    rmSync(path);
    await warned;
    expect(configured(opened)).toEqual(['one']);
    expect(lines.filter(({ level }) => level === 'warn')).toHaveLength(1);
    const changed = watch.changed();
    writeFileSync(path, 'two');
    await changed;
    expect(configured(opened)).toEqual(['two']);
    expect(watch.changes).toBe(1);
  });

  it('tells nothing when the same tokens are written again', async () => {
    writeFileSync(path, 'one');
    const opened = open({ file: path, checkIntervalMs: 10 });
    const watch = startSource(opened);
    const line = (): Promise<void> => new Promise((resolve) => (onLine = resolve));
    // What it says of a file that was bad meanwhile shows that it has looked.
    const warned = line();
    writeFileSync(path, 'not a token');
    await warned;
    const looked = line();
    writeFileSync(path, 'one\n\n');
    await looked;
    expect(lines.map(({ level }) => level)).toEqual(['warn', 'info']);
    expect(watch.changes).toBe(0);
  });

  it('tells nothing after it was stopped', async () => {
    writeFileSync(path, 'one');
    const opened = open({ file: path, checkIntervalMs: 10 });
    const watch = startSource(opened);
    opened.stop();
    const witness = open({ file: path, checkIntervalMs: 10 });
    const hears = startSource(witness);
    for (const tokens of ['two', 'three']) {
      const changed = hears.changed();
      writeFileSync(path, tokens);
      await changed;
    }
    expect(configured(witness)).toEqual(['three']);
    expect([watch.changes, configured(opened)]).toEqual([0, ['one']]);
  });
});
