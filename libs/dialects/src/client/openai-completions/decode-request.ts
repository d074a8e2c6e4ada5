import { TurnError } from '@zai2api/turn';
import type { DecodedRequest } from '../client-dialect.ts';
import { createIgnoredFields, type IgnoredFields } from '../request/ignored-fields.ts';
import { parseBody } from '../request/parse-body.ts';
import { requestSchema, streamOptionsSchema, type WireRequest } from './wire-schema.ts';
import { unsupportedParameter, unsupportedValue } from '../request/request-fault.ts';

/** How one answer is to be written. */
export interface OpenAiCompletionsForm {
  /** True: the stream ends with a usage chunk. Whole answers always carry usage. */
  readonly includeUsage: boolean;
  /** What the text of the answer begins with: the prompt where the client wants it back. */
  readonly echo: string;
}

/** A request, and the form of its answer. */
export interface DecodedCompletionsRequest extends Pick<DecodedRequest, 'request' | 'stream' | 'warnings'> {
  readonly form: OpenAiCompletionsForm;
}

/**
 * A legacy completion request in the neutral form (contract 4.2): the prompt is what a user says. There is no field for thoughts in the
 * answer, so the model is asked not to think. Throws for what would falsify the answer: a suffix, tokens for text, several answers.
 */
export function decodeOpenAiCompletionsRequest(body: unknown): DecodedCompletionsRequest {
  const wire = parseBody(requestSchema, body);
  refuseWhatCannotBeGiven(wire);
  const prompt = decodePrompt(wire.prompt);
  const ignored = createIgnoredFields();
  nameIgnoredFields(wire, ignored);
  const stop = typeof wire.stop === 'string' ? [wire.stop] : (wire.stop ?? []);
  return {
    request: {
      model: wire.model?.trim() ?? '',
      messages: [{ role: 'user', text: prompt, attachments: [] }],
      reasoning: { enabled: false, visible: false },
      tools: [],
      toolChoice: { mode: 'none' },
      parallelToolCalls: false,
      responseFormat: { type: 'text' },
      sampling: {
        temperature: wire.temperature,
        topP: wire.top_p,
        maxOutputTokens: wire.max_tokens,
        stop: stop.filter((text) => text !== ''),
      },
    },
    stream: wire.stream ?? false,
    form: { includeUsage: wire.stream_options?.include_usage ?? false, echo: wire.echo ? prompt : '' },
    warnings: ignored.warnings(),
  };
}

function decodePrompt(prompt: WireRequest['prompt']): string {
  if (typeof prompt === 'string') return prompt;
  const [only] = prompt;
  if (prompt.length === 1 && typeof only === 'string') return only;
  throw new TurnError(
    'unsupported',
    "This value of 'prompt' is not supported: send one text. Several prompts and token numbers are not supported.",
    { layer: 'client', param: 'prompt', reason: 'unsupported_value' },
  );
}

function refuseWhatCannotBeGiven(wire: WireRequest): void {
  if (wire.suffix) throw unsupportedParameter('suffix');
  if (wire.logprobs) throw unsupportedParameter('logprobs');
  if (wire.n !== undefined && wire.n > 1) throw unsupportedValue('n');
  if (wire.best_of !== undefined && wire.best_of > 1) throw unsupportedValue('best_of');
}

function nameIgnoredFields(wire: WireRequest, ignored: IgnoredFields): void {
  ignored.addUnlessDefault('frequency_penalty', wire.frequency_penalty);
  ignored.addUnlessDefault('presence_penalty', wire.presence_penalty);
  if (wire.stream_options) ignored.addUnknown(wire.stream_options, streamOptionsSchema.shape, 'stream_options.');
  ignored.addUnknown(wire, requestSchema.shape);
}
