import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { openAiChat } from '@zai2api/dialects';

const root = new URL('../../libs/dialects/fixtures/requests/', import.meta.url);
const updates = process.env['GOLDEN_UPDATE'] === '1';
const names = readdirSync(root);

const read = (name: string, file: string): string => readFileSync(new URL(`${name}/${file}`, root), 'utf8');

it('has every case that was promised', () => {
  expect(names.length).toBeGreaterThanOrEqual(20);
});

describe.each(names)('request %s', (name) => {
  const body: unknown = JSON.parse(read(name, 'openai-chat.json'));

  it('decodes as recorded', () => {
    const actual = `${JSON.stringify(openAiChat.decodeRequest(body), undefined, 2)}\n`;
    const url = new URL(`${name}/turn.json`, root);
    if (updates) writeFileSync(url, actual);
    expect(existsSync(url)).toBe(true);
    expect(actual).toBe(readFileSync(url, 'utf8'));
  });

  it('is left as it came', () => {
    openAiChat.decodeRequest(body);
    expect(body).toEqual(JSON.parse(read(name, 'openai-chat.json')));
  });
});

it('means the same with nulls as without', () => {
  expect(read('null-everywhere', 'turn.json')).toBe(read('plain', 'turn.json'));
});
