import { describe, expect, it } from '@jest/globals';
import { TurnError } from '@zai2api/turn';
import { decodeOpenAiCompletionsRequest } from './decode-request.ts';

const decode = (body: Record<string, unknown>) =>
  decodeOpenAiCompletionsRequest({ model: 'glm-5', prompt: 'Once', ...body });

function faultOf(body: unknown): { code: string; param: string | undefined; reason: string | undefined } {
  try {
    decodeOpenAiCompletionsRequest(body);
  } catch (error) {
    if (!TurnError.is(error)) throw error;
    expect(error.details.layer).toBe('client');
    return { code: error.code, param: error.details.param, reason: error.details.reason };
  }
  throw new Error('The body was accepted.');
}

describe('H05: a faulty completion request', () => {
  it.each([[undefined], [null], ['text'], [[]]])('is refused when the body is %p', (body) => {
    expect(faultOf(body)).toEqual({ code: 'invalid_request', param: undefined, reason: undefined });
  });

  it.each<[Record<string, unknown>, string, string]>([
    [{ prompt: undefined }, 'prompt', 'missing_required_parameter'],
    [{ prompt: null }, 'prompt', 'missing_required_parameter'],
    [{ prompt: 5 }, 'prompt', 'invalid_type'],
    [{ suffix: 5 }, 'suffix', 'invalid_type'],
    [{ max_tokens: 0 }, 'max_tokens', 'invalid_value'],
    [{ temperature: 3 }, 'temperature', 'invalid_value'],
    [{ stream: 'yes' }, 'stream', 'invalid_type'],
    [{ echo: 1 }, 'echo', 'invalid_type'],
    [{ logprobs: 6 }, 'logprobs', 'invalid_value'],
    [{ stop: [1] }, 'stop[0]', 'invalid_type'],
  ])('%j is refused at %s', (fields, param, reason) => {
    expect(faultOf({ prompt: 'Once', ...fields })).toEqual({ code: 'invalid_request', param, reason });
  });

  it.each<[Record<string, unknown>, string, string]>([
    [{ prompt: [] }, 'prompt', 'unsupported_value'],
    [{ prompt: ['a', 'b'] }, 'prompt', 'unsupported_value'],
    [{ prompt: [1, 2] }, 'prompt', 'unsupported_value'],
    [{ prompt: [1] }, 'prompt', 'unsupported_value'],
    [{ prompt: [[1, 2]] }, 'prompt', 'unsupported_value'],
    [{ suffix: 'end' }, 'suffix', 'unsupported_parameter'],
    [{ logprobs: 1 }, 'logprobs', 'unsupported_parameter'],
    [{ n: 2 }, 'n', 'unsupported_value'],
    [{ best_of: 2 }, 'best_of', 'unsupported_value'],
  ])('%j cannot be given', (fields, param, reason) => {
    expect(faultOf({ prompt: 'Once', ...fields })).toEqual({ code: 'unsupported', param, reason });
  });
});

describe('H05: a completion request', () => {
  it('is one message, without thinking', () => {
    expect(decode({})).toEqual({
      request: {
        model: 'glm-5',
        messages: [{ role: 'user', text: 'Once', attachments: [] }],
        reasoning: { enabled: false, visible: false },
        tools: [],
        toolChoice: { mode: 'none' },
        parallelToolCalls: false,
        responseFormat: { type: 'text' },
        sampling: { temperature: undefined, topP: undefined, maxOutputTokens: undefined, stop: [] },
      },
      stream: false,
      form: { includeUsage: false, echo: '' },
      warnings: [],
    });
  });

  it('may have its prompt in a list', () => {
    expect(decode({ prompt: ['Once'] })).toEqual(decode({}));
  });

  it('means the same with nulls everywhere, and with values that ask for nothing', () => {
    const fields =
      'suffix max_tokens temperature top_p stop stream stream_options echo n best_of logprobs frequency_penalty presence_penalty logit_bias seed user';
    expect(decode(Object.fromEntries(fields.split(' ').map((field) => [field, null])))).toEqual(decode({}));
    expect(decode({ suffix: '', n: 1, best_of: 1, logprobs: 0, echo: false, frequency_penalty: 0 })).toEqual(
      decode({}),
    );
  });

  it('passes on what was asked for, and names what has no effect', () => {
    const decoded = decode({
      max_tokens: 5,
      temperature: 0,
      top_p: 1,
      stop: ['', 'END'],
      stream: true,
      stream_options: { include_usage: true, x: 1 },
      echo: true,
      seed: 1,
      presence_penalty: 1,
    });
    expect(decoded.request.sampling).toEqual({ temperature: 0, topP: 1, maxOutputTokens: 5, stop: ['END'] });
    expect([decoded.stream, decoded.form]).toEqual([true, { includeUsage: true, echo: 'Once' }]);
    expect(decoded.warnings.map(({ field }) => field)).toEqual(['presence_penalty', 'stream_options.x', 'seed']);
  });
});
