import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { createToolBridge, createZaiPlatformDecoder } from '@zai2api/dialects';
import { foldEvents, TurnError, type TurnEvent, type TurnRequest } from '@zai2api/turn';

const root = new URL('../../libs/dialects/fixtures/turns/', import.meta.url);

interface Frame {
  readonly choices?: readonly { readonly delta?: Record<string, unknown> }[];
}

type Asked = Pick<TurnRequest, 'tools'> & Partial<Pick<TurnRequest, 'toolChoice' | 'parallelToolCalls'>>;

/** The outcome of a stream of these blocks, without how it was cut into deltas. */
function outcomeOf(blocks: readonly string[], asked: Asked): unknown {
  const { tools, toolChoice = { mode: 'auto' }, parallelToolCalls = true } = asked;
  const decoder = createZaiPlatformDecoder({
    model: 'm',
    warnings: [],
    prompt: () => 'p',
    takesCalls: tools.length > 0,
    context: { now: () => 1_764_000_000_000, newId: () => 'golden', countTokens: (text) => Math.ceil(text.length / 4) },
  });
  let ids = 0;
  const bridge = createToolBridge({ tools, toolChoice, parallelToolCalls, newId: () => String((ids += 1)) });
  const bytes = new TextEncoder().encode(blocks.map((block) => `${block}\n\n`).join(''));
  const events: TurnEvent[] = [...decoder.push(bytes), ...decoder.end()].flatMap(bridge);
  try {
    return foldEvents(events);
  } catch (error) {
    if (!TurnError.is(error)) throw error;
    return [error.code, error.details.reason, error.message];
  }
}

/** The texts of a frame that may be cut anywhere, each with the way to put another in its place. */
function textsOf(frame: Frame): { text: string; with: (text: string) => Frame }[] {
  const delta = frame.choices?.[0]?.delta ?? {};
  const change = (fields: Record<string, unknown>): Frame => ({ ...frame, choices: [{ delta: fields }] });
  const plain = ['content', 'reasoning_content'].flatMap((field) => {
    const text = delta[field];
    return typeof text === 'string' ? [{ text, with: (piece: string) => change({ ...delta, [field]: piece }) }] : [];
  });
  const calls = (delta['tool_calls'] ?? []) as { function?: { arguments?: unknown } }[];
  const [call] = calls;
  const text = call?.function?.arguments;
  if (calls.length !== 1 || typeof text !== 'string') return plain;
  return [
    ...plain,
    {
      text,
      with: (piece) =>
        change({ ...delta, tool_calls: [{ ...call, function: { ...call?.function, arguments: piece } }] }),
    },
  ];
}

const names = readdirSync(root).filter((name) => name.startsWith('platform-') && !name.includes('whole-body'));

describe.each(names)('turn %s', (name) => {
  const blocks = readFileSync(new URL(`${name}/zai-platform.sse`, root), 'utf8').split(/\r?\n\r?\n/);
  const hasRequest = readdirSync(new URL(`${name}/`, root)).includes('request.json');
  const asked: Asked = hasRequest
    ? (JSON.parse(readFileSync(new URL(`${name}/request.json`, root), 'utf8')) as Asked)
    : { tools: [] };
  const outcome = outcomeOf(blocks, asked);

  it('says the same at every cut of its texts', () => {
    for (const [index, block] of blocks.entries()) {
      if (!/^data: ?\{.*\}$/.test(block)) continue;
      const frame = JSON.parse(block.slice(block.indexOf('{'))) as Frame;
      for (const each of textsOf(frame)) {
        for (let at = 1; at < each.text.length; at++) {
          // A cut inside a pair of surrogates is none that JSON could carry.
          if (!each.text.slice(0, at).isWellFormed()) continue;
          const halves = [each.text.slice(0, at), each.text.slice(at)].map(
            (half) => `data: ${JSON.stringify(each.with(half))}`,
          );
          const cut = [...blocks.slice(0, index), ...halves, ...blocks.slice(index + 1)];
          expect(outcomeOf(cut, asked)).toEqual(outcome);
        }
      }
    }
  });
});
