import { describe, expect, it } from '@jest/globals';
import { decodeChatId, encodeChatCreation, encodeChatDeletion } from './encode-chat.ts';
import type { CompletionInput } from './encode-completion.ts';

const input: Omit<CompletionInput, 'chatId'> = {
  profile: {
    base: 'https://chat.z.ai',
    signingSecret: 'TEST-KEY-DO-NOT-USE',
    userAgent: 'Browser/1.0',
    language: 'en-US',
    timeZone: 'UTC',
    region: 'overseas',
    deviceId: '11111111-0000-4000-8000-000000000000',
  },
  frontendVersion: 'prod-fe-1.1.98',
  token: 'a.b.c',
  userId: 'user-7',
  userName: 'Guest',
  prompt: 'hello',
  upstreamModel: 'glm-4.7',
  features: { thinking: true, search: false },
  userMessageId: 'u-1',
  assistantMessageId: 'a-1',
  requestId: 'r-1',
  timestampMs: 1_760_000_000_999,
};

function createdChat(changes: Partial<typeof input> = {}): Record<string, unknown> {
  const body = JSON.parse(encodeChatCreation({ ...input, ...changes }).body ?? '') as { chat: Record<string, unknown> };
  return body.chat;
}

function storedPrompt(prompt: string): string {
  const { messages } = createdChat({ prompt })['history'] as { messages: Record<string, { content: string }> };
  return messages['u-1']!.content;
}

describe('encodeChatCreation', () => {
  it('has the shape of the web client', () => {
    const { method, url, headers } = encodeChatCreation(input);
    expect([method, url]).toEqual(['POST', 'https://chat.z.ai/api/v1/chats/new']);
    expect(headers).toMatchObject({
      Authorization: 'Bearer a.b.c',
      'Content-Type': 'application/json',
      'X-FE-Version': 'prod-fe-1.1.98',
    });
    expect(createdChat()).toEqual({
      id: '',
      title: 'New Chat',
      models: ['glm-4.7'],
      params: {},
      history: {
        currentId: 'u-1',
        messages: {
          'u-1': {
            id: 'u-1',
            parentId: null,
            childrenIds: [],
            role: 'user',
            content: 'hello',
            timestamp: 1_760_000_000,
            models: ['glm-4.7'],
          },
        },
      },
      tags: [],
      flags: [],
      features: [],
      mcp_servers: [],
      enable_thinking: true,
      auto_web_search: false,
      message_version: 1,
      extra: {},
      timestamp: 1_760_000_000_999,
      type: 'default',
    });
  });

  it('says search and effort only when they are wanted', () => {
    const chat = createdChat({ features: { thinking: false, search: true, reasoningEffort: 'max' } });
    expect(chat).toMatchObject({
      mcp_servers: ['deep-web-search'],
      auto_web_search: true,
      enable_thinking: false,
      reasoning_effort: 'max',
    });
  });

  it('stores no more than 500 characters of the prompt and never half a character', () => {
    expect(storedPrompt('x'.repeat(500))).toBe('x'.repeat(500));
    expect(storedPrompt('x'.repeat(501))).toBe(`${'x'.repeat(500)}...`);
    const cutInside = storedPrompt(`${'x'.repeat(499)}🚀 and more`);
    expect(cutInside.isWellFormed()).toBe(true);
    expect(cutInside).toMatch(/^x{499}.*\.\.\.$/u);
  });
});

describe('encodeChatDeletion', () => {
  it('names the chat in the path, whatever its id is', () => {
    const { method, url, headers, body } = encodeChatDeletion({
      profile: input.profile,
      token: 't',
      chatId: 'a/../b?c',
    });
    expect([method, url, body]).toEqual(['DELETE', 'https://chat.z.ai/api/v1/chats/a%2F..%2Fb%3Fc', undefined]);
    expect(headers['Authorization']).toBe('Bearer t');
  });
});

describe('decodeChatId', () => {
  it.each<[string, unknown, string | undefined]>([
    ['the id', { id: 'c-1', chat: { id: '' } }, 'c-1'],
    ['the nested id', { chat: { id: 'c-2' } }, 'c-2'],
    ['the nested id behind a null', { id: null, chat: { id: 'c-2' } }, 'c-2'],
    ['an empty id', { id: '' }, undefined],
    ['a number', { id: 7 }, undefined],
    ['a chat that is no object', { chat: ['c-1'] }, undefined],
    ['null', null, undefined],
    ['text', 'c-1', undefined],
    ['nothing', {}, undefined],
  ])('reads %s', (_name, body, id) => {
    expect(decodeChatId(body)).toBe(id);
  });
});
