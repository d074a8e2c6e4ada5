import { countTokens } from '../scenarios/answer-document.ts';
import type { ScenarioContext } from '../scenarios/scenario.ts';

/** Writes the chunks of one streamed answer (protocol 10.3). */
export interface PlatformAnswer {
  reasoning(text: string): string;
  text(text: string): string;
  /** Entries of `tool_calls` as they stand in a delta. */
  calls(...entries: readonly unknown[]): string;
  /** A chunk with these fields beside an empty delta. */
  extra(fields: Readonly<Record<string, unknown>>): string;
  /** The last chunk: the reason to finish, with the counts. */
  finish(reason?: string): string;
  /** The same without counts. */
  finishUncounted(reason?: string): string;
  /** True once the tokens of the request are spent: nothing more may be said. */
  readonly exhausted: boolean;
}

/** One answer. Four characters are a token, as everywhere in the simulator. */
export function createPlatformAnswer(context: ScenarioContext): PlatformAnswer {
  const limit = typeof context.body['max_tokens'] === 'number' ? context.body['max_tokens'] * 4 : Infinity;
  /** In characters. */
  let reasoned = 0;
  let said = 0;

  /** As much of a text as the request still allows. */
  function spend(text: string): string {
    const fitting = text.slice(0, Math.max(0, limit - said));
    said += fitting.length;
    return fitting;
  }

  const chunk = (delta: unknown, finishReason: string | null = null, more: unknown = {}): string =>
    `data: ${JSON.stringify({
      id: '20260101000000abc',
      created: context.nowSeconds,
      model: context.model,
      choices: [{ index: 0, delta, ...(finishReason === null ? {} : { finish_reason: finishReason }) }],
      ...(more as Record<string, unknown>),
    })}\n\n`;

  function usage(): unknown {
    const promptTokens = countTokens(context.prompt);
    const completionTokens = Math.ceil(said / 4);
    return {
      prompt_tokens: promptTokens,
      completion_tokens: completionTokens,
      total_tokens: promptTokens + completionTokens,
      prompt_tokens_details: { cached_tokens: 0 },
      ...(reasoned > 0 ? { completion_tokens_details: { reasoning_tokens: Math.ceil(reasoned / 4) } } : {}),
    };
  }

  return {
    reasoning(text) {
      const fitting = spend(text);
      reasoned += fitting.length;
      return chunk({ role: 'assistant', reasoning_content: fitting });
    },
    text: (text) => chunk({ role: 'assistant', content: spend(text) }),
    calls(...entries) {
      said += JSON.stringify(entries).length;
      return chunk({ role: 'assistant', tool_calls: entries });
    },
    extra: (fields) => chunk({ role: 'assistant', content: '' }, null, fields),
    finish: (reason = 'stop') => chunk({ role: 'assistant', content: '' }, reason, { usage: usage() }),
    finishUncounted: (reason = 'stop') => chunk({ role: 'assistant', content: '' }, reason),
    get exhausted() {
      return said >= limit;
    },
  };
}
