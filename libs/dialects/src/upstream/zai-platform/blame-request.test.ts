import { describe, expect, it } from '@jest/globals';
import type { TurnError, TurnMessage, TurnRequest } from '@zai2api/turn';
import { blameRequest } from './blame-request.ts';
import { classifyFault, decodeHttpError } from './decode-error.ts';

const user: TurnMessage = { role: 'user', text: 'hi', attachments: [] };
const plain: TurnRequest = {
  model: 'm',
  messages: [{ role: 'system', text: 'Be brief.' }, user, { role: 'assistant', text: '', toolCalls: [] }],
  reasoning: { visible: true },
  tools: [],
  toolChoice: { mode: 'auto' },
  parallelToolCalls: true,
  responseFormat: { type: 'json-object' },
  sampling: { stop: ['x'], temperature: 2, topP: 0, maxOutputTokens: 1_000_000 },
};
const image = {
  kind: 'image',
  source: { type: 'data', mediaType: 'image/png', base64: '' },
  param: 'p',
} as const;
const call = { callId: 'c', name: 'f', argumentsText: '{}' };
const withTool: TurnRequest = { ...plain, tools: [{ name: 'f', parameters: {}, strict: false }] };
const fault = (code: string): TurnError => classifyFault({ code, text: 'their words' }, 0);

describe('a refused field', () => {
  it.each<[string, TurnRequest]>([
    ['a file', { ...plain, messages: [{ ...user, text: '', attachments: [image] }] }],
    ['a tool', withTool],
    ['an earlier tool call', { ...plain, messages: [user, { role: 'assistant', text: '', toolCalls: [call] }] }],
    ['an earlier tool call', { ...plain, messages: [user, { role: 'tool', callId: 'c', text: 'r' }] }],
    ['an empty message', { ...plain, messages: [{ ...user, text: ' ' }] }],
  ])('may be %s of the request', (suspect, request) => {
    for (const code of ['1210', '1213', '1214', '1215']) {
      const error = blameRequest(fault(code), request);
      expect([error.code, error.details.reason]).toEqual(['invalid_request', 'refused_by_upstream']);
      expect(error.message).toContain(suspect);
      expect(error.message).not.toContain('their words');
    }
    const body = JSON.stringify({ error: { code: '1214', message: 'their words' } });
    expect(blameRequest(decodeHttpError(400, 'application/json', body, { nowMs: 0 }), request).code).toBe(
      'invalid_request',
    );
  });

  it('is ours where the request has plain words alone', () => {
    expect(blameRequest(fault('1214'), plain).code).toBe('upstream_drifted');
  });

  it.each(['1212', '1221', '1222', '1234', '1302', '1301'])('is not what %s says', (code) => {
    const error = fault(code);
    expect(blameRequest(error, withTool)).toBe(error);
  });

  it('is not in an answer without a code', () => {
    const error = decodeHttpError(400, 'application/json', '{}', { nowMs: 0 });
    expect(blameRequest(error, withTool)).toBe(error);
  });
});
