import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { encodePlatformCompletion, type PlatformFile } from '@zai2api/dialects';
import type { TurnRequest } from '@zai2api/turn';

const root = new URL('../../libs/dialects/fixtures/requests/', import.meta.url);
const updates = process.env['GOLDEN_UPDATE'] === '1';
const names = readdirSync(root);

/** The files of the conversation as a driver would bring them. */
function filesOf({ messages }: TurnRequest): PlatformFile[] {
  const attachments = messages.flatMap((message) => ('attachments' in message ? (message.attachments ?? []) : []));
  return attachments.map(({ kind }) => ({ kind, dataUrl: `data:${kind};base64,AAAA`, filename: `${kind}.bin` }));
}

describe.each(names)('request %s to the official API', (name) => {
  const turn = JSON.parse(readFileSync(new URL(`${name}/turn.json`, root), 'utf8')) as { request: TurnRequest };
  const files = filesOf(turn.request);

  it('is encoded as recorded', () => {
    const { url, headers, body } = encodePlatformCompletion({
      profile: { base: 'https://api.z.ai/api/paas/v4', language: 'en-US' },
      key: 'golden.key',
      request: turn.request,
      files,
      upstreamModel: files.length > 0 ? 'glm-4.6v' : 'glm-5.2',
      thinking: turn.request.reasoning.enabled ?? true,
      search: turn.request.webSearch ?? false,
      requestId: 'golden',
    });
    expect(url).toBe('https://api.z.ai/api/paas/v4/chat/completions');
    expect(headers).toMatchObject({ Authorization: 'Bearer golden.key', 'Accept-Language': 'en-US,en' });
    const actual = `${JSON.stringify(JSON.parse(body ?? ''), undefined, 2)}\n`;
    const golden = new URL(`${name}/zai-platform.json`, root);
    if (updates) writeFileSync(golden, actual);
    expect(existsSync(golden)).toBe(true);
    expect(actual).toBe(readFileSync(golden, 'utf8'));
  });
});
