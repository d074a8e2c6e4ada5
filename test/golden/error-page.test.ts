import { globSync, readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { openAiChat } from '@zai2api/dialects';
import { errorCodes, TurnError, type ErrorCode } from '@zai2api/turn';

interface Row {
  /** Null where the error has none. */
  readonly code: string | null;
  readonly kind: ErrorCode;
  readonly status: number;
  readonly type: string;
  readonly again: 'yes' | 'no';
}

const root = new URL('../../', import.meta.url).pathname;
const page = readFileSync(`${root}docs/errors.md`, 'utf8');

/** The rows of all tables of the page. */
const rows = page
  .split('\n')
  .filter((line) => line.startsWith('| `'))
  .map((line): Row => {
    const [code = '', kind, status, type, again] = line
      .split('|')
      .slice(1)
      .map((cell) => cell.trim().replaceAll('`', ''));
    return { code: code === 'null' ? null : code, kind, status: Number(status), type, again } as Row;
  });

const encode = (kind: ErrorCode, reason?: string): Row => {
  const error = new TurnError(kind, 'x', { layer: 'upstream', ...(reason === undefined ? {} : { reason }) });
  const { status, headers, body } = openAiChat.encodeError(error);
  const { code, type } = (body as { error: { code: string | null; type: string } }).error;
  const mayTryAgain = [408, 409, 429].includes(status) || status >= 500;
  return { code, kind, status, type, again: mayTryAgain && headers['x-should-retry'] !== 'false' ? 'yes' : 'no' };
};

/** Finer codes as the sources write them: as a reason, as a constant, or as the last word of a call that makes an error. */
const writtenAs = [
  /\breason(?:: string)?(?::| =) ['`]([a-z_${}]+)['`]/g,
  /\bconst (?:[A-Z_]+|\w+Refused) = '([a-z]+(?:_[a-z]+)+)'/g,
  /\b(?:invalidValue|unsupported|unsupportedPart)\([^;]*?['`]([a-z]+(?:_[a-z${}]+)+)['`]\)/g,
];

function reasonsInSources(): { file: string; reason: string }[] {
  const files = globSync('{libs,services}/*/src/**/*.ts', { cwd: root }).filter(
    (file) => !/\.(test|conformance)\.ts$/.test(file),
  );
  return files.flatMap((file) => {
    const text = readFileSync(`${root}${file}`, 'utf8');
    if (!/TurnError|request-fault/.test(text)) return [];
    return writtenAs.flatMap((pattern) => [...text.matchAll(pattern)].map(([, reason = '']) => ({ file, reason })));
  });
}

/** Reasons to finish, which go by the same name. */
const notErrors = new Set(['stop', 'length']);

describe('docs/errors.md', () => {
  it('has tables', () => {
    expect(rows.length).toBeGreaterThan(40);
  });

  it.each(rows)('says of $code ($kind) what clients see', (row) => {
    const usual = encode(row.kind);
    expect(row).toEqual(row.code === usual.code ? usual : encode(row.kind, row.code ?? undefined));
  });

  it.each(errorCodes)('knows %s', (kind) => {
    expect(rows).toContainEqual(encode(kind));
  });

  it('knows every finer code that the sources have, and no row stands twice', () => {
    const names = rows.map(({ code, kind }) => `${kind} ${code}`);
    expect(new Set(names).size).toBe(names.length);
    const codes = rows.map(({ code }) => code ?? '');
    const found = reasonsInSources().filter(({ reason }) => !notErrors.has(reason));
    expect(found.length).toBeGreaterThan(15);
    const unknown = found.filter(({ reason }) => {
      // A part in braces stands for any word.
      const pattern = new RegExp(`^${reason.replaceAll(/\$\{\w+\}/g, '[a-z_]+')}$`);
      return !codes.some((code) => pattern.test(code));
    });
    expect(unknown).toEqual([]);
  });
});
