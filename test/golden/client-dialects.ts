import {
  anthropicMessages,
  openAiChat,
  openAiCompletions,
  openAiResponses,
  type ClientCodecContext,
  type ClientDialect,
} from '@zai2api/dialects';

/** What golden answers are made with: a clock that stands, ids that count, a seal that can be read. */
export function createGoldenContext(): ClientCodecContext {
  let ids = 0;
  return {
    now: () => 1_764_000_000_000,
    newId: () => `golden${(ids += 1)}`,
    seal: (text) => `sealed.${Buffer.from(text).toString('base64url')}`,
    unseal: (sealed) =>
      sealed.startsWith('sealed.') ? Buffer.from(sealed.slice('sealed.'.length), 'base64url').toString() : undefined,
  };
}

/** Every client dialect with a request whose answer shows all that an answer can hold. */
export const clientDialects: readonly { readonly dialect: ClientDialect; readonly ask: unknown }[] = [
  {
    dialect: openAiChat,
    ask: {
      model: 'glm-4.6',
      messages: [{ role: 'user', content: 'What is it?' }],
      stream: true,
      stream_options: { include_usage: true },
    },
  },
  {
    dialect: openAiCompletions,
    ask: { model: 'glm-4.6', prompt: 'What is it?', stream: true, stream_options: { include_usage: true } },
  },
  {
    dialect: openAiResponses,
    ask: {
      model: 'glm-4.6',
      input: 'What is it?',
      stream: true,
      include: ['reasoning.encrypted_content'],
    },
  },
  {
    dialect: anthropicMessages,
    ask: {
      model: 'glm-4.6',
      max_tokens: 1024,
      messages: [{ role: 'user', content: 'What is it?' }],
      thinking: { type: 'adaptive' },
      stream: true,
    },
  },
];
