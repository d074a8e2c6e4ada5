import { postChat, type ChatOptions, type ErrorBody } from './chat-client.ts';

/** One `data:` payload of a chat stream. */
export interface ChatChunk extends Partial<ErrorBody> {
  readonly id?: string;
  readonly object?: string;
  readonly created?: number;
  readonly model?: string;
  readonly choices?: readonly {
    readonly index: number;
    readonly delta: {
      readonly role?: string;
      readonly content?: string | null;
      readonly reasoning_content?: string;
    };
    readonly finish_reason: string | null;
  }[];
  readonly usage?: Readonly<Record<string, unknown>> | null;
}

/** An event stream as it comes off the wire: blocks are what stands between blank lines, comments included. */
export interface EventStream {
  readonly status: number;
  readonly headers: Headers;
  /** The next block; undefined at the end. Rejects when the connection breaks. */
  next(): Promise<string | undefined>;
  /** The first block from here on that fits; rejects when the stream ends before it. */
  find(fits: (block: string) => boolean): Promise<string>;
  /** All blocks from here on. */
  rest(): Promise<string[]>;
}

/** Starts a streamed answer and returns when its headers are there. */
export async function openStream(url: string, prompt: string, options: ChatOptions = {}): Promise<EventStream> {
  const response = await postChat(url, prompt, { ...options, body: { stream: true, ...options.body } });
  return readEventStream(response);
}

/** Reads a response block by block, without understanding any of it. */
export function readEventStream(response: Response): EventStream {
  const reader = response.body?.getReader();
  const decoder = new TextDecoder();
  let buffer = '';
  let isOver = false;

  async function next(): Promise<string | undefined> {
    for (;;) {
      const cut = buffer.indexOf('\n\n');
      if (cut >= 0) {
        const block = buffer.slice(0, cut);
        buffer = buffer.slice(cut + 2);
        return block;
      }
      if (isOver) {
        const tail = buffer;
        buffer = '';
        return tail === '' ? undefined : tail;
      }
      const read = await reader?.read();
      if (read?.value !== undefined) buffer += decoder.decode(read.value, { stream: true });
      else isOver = true;
    }
  }

  return {
    status: response.status,
    headers: response.headers,
    next,
    async find(fits) {
      for (let block = await next(); block !== undefined; block = await next()) if (fits(block)) return block;
      throw new Error('The stream ended before the block that was waited for.');
    },
    async rest() {
      const blocks: string[] = [];
      for (let block = await next(); block !== undefined; block = await next()) blocks.push(block);
      return blocks;
    },
  };
}

/** True for a block that carries answer text. */
export const hasContent = (block: string): boolean => /"content":"/.test(block);

/** The JSON payloads of blocks; comments and the end marker are left out. */
export function chunksOf(blocks: readonly string[]): ChatChunk[] {
  return blocks
    .filter((block) => block.startsWith('data: {'))
    .map((block) => JSON.parse(block.slice('data: '.length)) as ChatChunk);
}

/** What a client makes of a stream: the joined text, the joined reasoning, why it ended, and the error frame if there was one. */
export function joinChunks(chunks: readonly ChatChunk[]): {
  text: string;
  reasoning: string;
  finishReasons: string[];
  errors: ErrorBody['error'][];
} {
  const choices = chunks.flatMap((chunk) => chunk.choices ?? []);
  return {
    text: choices.map(({ delta }) => delta.content ?? '').join(''),
    reasoning: choices.map(({ delta }) => delta.reasoning_content ?? '').join(''),
    finishReasons: choices.flatMap(({ finish_reason: reason }) => (reason === null ? [] : [reason])),
    errors: chunks.flatMap(({ error }) => (error ? [error] : [])),
  };
}
