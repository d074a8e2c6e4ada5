import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { clientDialects, createGoldenContext } from './client-dialects.ts';

const root = new URL('../../libs/dialects/fixtures/requests/', import.meta.url);
const updates = process.env['GOLDEN_UPDATE'] === '1';
const names = readdirSync(root);

const read = (name: string, file: string): string => readFileSync(new URL(`${name}/${file}`, root), 'utf8');

it('has every case that was promised', () => {
  expect(names.length).toBeGreaterThanOrEqual(20);
});

describe.each(names)('request %s', (name) => {
  // The same request in several dialects means the same turn.
  const asked = clientDialects.filter(({ dialect }) => existsSync(new URL(`${name}/${dialect.name}.json`, root)));

  it('is asked in a dialect that exists', () => {
    expect(asked).not.toHaveLength(0);
  });

  it.each(asked)('decodes as recorded and leaves the body as it came: $dialect.name', ({ dialect }) => {
    const text = read(name, `${dialect.name}.json`);
    const body: unknown = JSON.parse(text);
    const { request, stream, warnings } = dialect.decodeRequest(body, createGoldenContext());
    const actual = `${JSON.stringify({ request, stream, warnings }, undefined, 2)}\n`;
    const url = new URL(`${name}/turn.json`, root);
    if (updates) writeFileSync(url, actual);
    expect(existsSync(url)).toBe(true);
    expect(actual).toBe(readFileSync(url, 'utf8'));
    expect(body).toEqual(JSON.parse(text));
  });
});

it('means the same with nulls as without', () => {
  expect(read('null-everywhere', 'turn.json')).toBe(read('plain', 'turn.json'));
});
