import { completionFrame } from './frames.ts';
import { streamErrors } from './stream-errors.ts';
import type { ScenarioContext } from './scenario.ts';

/** Token counts in the shape of protocol 5.2. */
export type FakeUsage = Readonly<Record<string, unknown>>;

/** The one growing document of an answer (protocol 5.4) and the frames that tell of its growth. */
export interface AnswerDocument {
  /** The frame that appends `text`. */
  append(phase: string, text: string): string;
  /** The frame that replaces everything from character `index` on. */
  edit(phase: string, index: number, text: string): string;
  /** Length so far, in the unit that `editIndexUnit` says. */
  length(): number;
  usage(): FakeUsage;
  /** The last four frames of the capture in protocol 5.3: usage, OpenAI-shaped stop, two `done` frames. No end marker. */
  ending(): string[];
  /** Only the two `done` frames, the second without usage. */
  doneFrames(extra?: Readonly<Record<string, unknown>>): string[];
}

/** Four characters are one token: a fixed rule, so that tests can predict the figures. */
export function countTokens(text: string): number {
  return Math.ceil(text.length / 4);
}

export function createAnswerDocument(context: ScenarioContext): AnswerDocument {
  const inCodePoints = context.settings.editIndexUnit === 'code-points';
  let document = '';

  const length = (): number => (inCodePoints ? Array.from(document).length : document.length);
  const usage = (): FakeUsage => {
    const promptTokens = countTokens(context.prompt);
    const completionTokens = countTokens(document);
    return {
      prompt_tokens: promptTokens,
      completion_tokens: completionTokens,
      total_tokens: promptTokens + completionTokens,
      prompt_tokens_details: { cached_tokens: 0 },
      words: document.length,
    };
  };
  const doneFrames = (extra: Readonly<Record<string, unknown>> = {}): string[] => [
    completionFrame({
      done: true,
      delta_content: '',
      phase: 'done',
      ...(context.unknownChat && { error: streamErrors.internal(context) }),
    }),
    // The edit at the very end of the document changes nothing; the site sends it all the same.
    completionFrame({
      role: 'assistant',
      ...extra,
      message_id: 'm-1',
      done: true,
      edit_index: length(),
      edit_content: '',
      phase: 'other',
    }),
  ];

  return {
    append(phase, text) {
      document += text;
      return completionFrame({ delta_content: text, phase });
    },
    edit(phase, index, text) {
      const kept = inCodePoints ? Array.from(document).slice(0, index).join('') : document.slice(0, index);
      document = kept + text;
      return completionFrame({ edit_index: index, edit_content: text, phase });
    },
    length,
    usage,
    doneFrames,
    ending: () => [
      completionFrame({ usage: usage(), phase: 'other' }),
      completionFrame({
        id: 'chatcmpl-x1',
        object: 'chat.completion.chunk',
        created: context.nowSeconds,
        model: context.model,
        choices: [{ index: 0, delta: { role: 'assistant' }, finish_reason: 'stop' }],
        usage: usage(),
        phase: 'answer',
      }),
      ...doneFrames({ usage: usage() }),
    ],
  };
}
