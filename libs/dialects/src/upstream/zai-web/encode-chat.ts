import { encodeCommonHeaders } from './encode-common-headers.ts';
import type { EncodedRequest } from '../encoded-request.ts';
import type { CompletionInput } from './encode-completion.ts';
import { encodeServers, isVisionRequest } from './encode-files.ts';
import type { WebProfile } from './web-profile.ts';
import { isRecord } from '../../is-record.ts';

/** `POST /api/v1/chats/new`: the chat that the completion will name (protocol 4.2). Its `id` is left to the upstream. */
export function encodeChatCreation(input: Omit<CompletionInput, 'chatId'>): EncodedRequest {
  const { userMessageId, upstreamModel, features, files = [] } = input;
  return {
    method: 'POST',
    url: `${input.profile.base}/api/v1/chats/new`,
    headers: {
      ...encodeCommonHeaders(input.profile, input.token),
      'Content-Type': 'application/json',
      'X-FE-Version': input.frontendVersion,
    },
    body: JSON.stringify({
      chat: {
        id: '',
        title: 'New Chat',
        models: [upstreamModel],
        params: {},
        history: {
          currentId: userMessageId,
          messages: {
            [userMessageId]: {
              id: userMessageId,
              parentId: null,
              childrenIds: [],
              role: 'user',
              content: shorten(input.prompt),
              timestamp: Math.floor(input.timestampMs / 1000),
              models: [upstreamModel],
            },
          },
        },
        tags: [],
        flags: [],
        features: [],
        mcp_servers: encodeServers({ search: features.search, files }),
        enable_thinking: features.thinking,
        ...(features.reasoningEffort === undefined ? {} : { reasoning_effort: features.reasoningEffort }),
        auto_web_search: features.search && !isVisionRequest(files),
        message_version: 1,
        extra: {},
        timestamp: input.timestampMs,
        type: 'default',
      },
    }),
  };
}

/** `DELETE /api/v1/chats/{id}`: removes one chat after its turn (protocol 1.5). */
export function encodeChatDeletion(input: { profile: WebProfile; token: string; chatId: string }): EncodedRequest {
  return {
    method: 'DELETE',
    url: `${input.profile.base}/api/v1/chats/${encodeURIComponent(input.chatId)}`,
    headers: encodeCommonHeaders(input.profile, input.token),
  };
}

/** The chat's id from the answer to its creation; some builds nest it (protocol 4.2). Undefined when there is none. */
export function decodeChatId(body: unknown): string | undefined {
  if (!isRecord(body)) return undefined;
  const id = body['id'] ?? (isRecord(body['chat']) ? body['chat']['id'] : undefined);
  return typeof id === 'string' && id !== '' ? id : undefined;
}

/** The stored copy is only a label, and the chat is deleted after the turn: as short as the web client's own limit (protocol 4.2). */
const STORED_PROMPT_CHARACTERS = 500;

function shorten(prompt: string): string {
  if (prompt.length <= STORED_PROMPT_CHARACTERS) return prompt;
  // Half a surrogate pair is no text that a database takes.
  return `${prompt.slice(0, STORED_PROMPT_CHARACTERS).replace(/[\uD800-\uDBFF]$/, '')}...`;
}
