import type { TurnRequest } from '@zai2api/turn';
import type { EncodedRequest } from '../encoded-request.ts';
import { encodeFormatInstructions } from '../format-instructions.ts';
import { encodeCommonHeaders } from './encode-common-headers.ts';
import { encodeMessages, type PlatformFile } from './encode-messages.ts';
import { encodeThinking } from './encode-thinking.ts';
import { encodeToolDemand, encodeTools } from './encode-tools.ts';
import { platformTraits, type PlatformTraits } from './platform-models.ts';
import type { PlatformProfile } from './platform-profile.ts';
import { refuseRequest } from './refuse-request.ts';

/** Everything that one completion says. */
export interface PlatformCompletionInput {
  readonly profile: PlatformProfile;
  readonly key: string;
  readonly request: TurnRequest;
  /** What the messages name as attachments, in the same order. */
  readonly files: readonly PlatformFile[];
  readonly upstreamModel: string;
  readonly thinking: boolean;
  readonly search: boolean;
  /** 6 to 64 characters, never used before: the API refuses one that it has seen (protocol 10.4). */
  readonly requestId: string;
}

/** Smallest `top_p` that is taken (protocol 10.2). */
const MIN_TOP_P = 0.01;

/**
 * `POST /chat/completions` (protocol 10.2). Always a stream: whole answers are folded from the same events. Stop words stay with us, as the
 * upstream would not say which one ended the answer, nor leave thinking and arguments alone. Throws a TurnError for what the API cannot
 * take.
 */
export function encodeCompletion(input: PlatformCompletionInput): EncodedRequest {
  const refused = refuseRequest(input.request, input.upstreamModel);
  if (refused) throw refused;
  return {
    method: 'POST',
    url: `${input.profile.base}/chat/completions`,
    headers: {
      ...encodeCommonHeaders(input.profile, input.key),
      Accept: 'text/event-stream',
      'Content-Type': 'application/json',
    },
    body: JSON.stringify(encodeBody(input)),
  };
}

function encodeBody({ request, files, upstreamModel, thinking, search, requestId }: PlatformCompletionInput): unknown {
  const traits = platformTraits(upstreamModel);
  const tools = encodeTools(request, search, traits);
  const mayCall = request.tools.length > 0 && request.toolChoice.mode !== 'none';
  const hasReasoning = request.messages.some(
    (message) => message.role === 'assistant' && message.reasoning !== undefined,
  );
  const keepsReasoning = hasReasoning && !traits.vision && (thinking || traits.thinking === 'always');
  const closing = [encodeToolDemand(request), encodeFormatInstructions(request.responseFormat, mayCall)];
  return {
    model: upstreamModel,
    messages: encodeMessages({
      messages: request.messages,
      files,
      traits,
      keepsReasoning,
      closing: closing.filter((part) => part !== '').join('\n\n'),
    }),
    stream: true,
    request_id: requestId,
    ...encodeThinking(traits, { thinking, effort: request.reasoning.effort, keepsReasoning }),
    ...encodeSampling(request, traits),
    ...(tools.length > 0 ? { tools } : {}),
    ...(mayCall && traits.toolStream ? { tool_stream: true } : {}),
    // Beside tools it might keep the model from calling them: there the instruction has to do.
    ...(request.responseFormat.type !== 'text' && !traits.vision && !mayCall
      ? { response_format: { type: 'json_object' } }
      : {}),
  };
}

function encodeSampling({ sampling }: TurnRequest, traits: PlatformTraits): Record<string, unknown> {
  const { temperature, topP, maxOutputTokens } = sampling;
  return {
    ...(maxOutputTokens === undefined ? {} : { max_tokens: within(maxOutputTokens, 1, traits.maxOutputTokens) }),
    // Without sampling the other two mean nothing (protocol 10.2).
    ...(temperature === 0
      ? { do_sample: false }
      : {
          ...(temperature === undefined ? {} : { temperature: within(temperature, 0, 1) }),
          ...(topP === undefined ? {} : { top_p: within(topP, MIN_TOP_P, 1) }),
        }),
  };
}

/** The fields whose values the API does not take as they are for this model; they are brought into its range. */
export function limitedFields({ sampling }: TurnRequest, upstreamModel: string): string[] {
  const { temperature = 1, topP = 1, maxOutputTokens = 1 } = sampling;
  return [
    ...(temperature > 1 ? ['temperature'] : []),
    ...(topP < MIN_TOP_P || topP > 1 ? ['top_p'] : []),
    ...(maxOutputTokens > platformTraits(upstreamModel).maxOutputTokens ? ['max_tokens'] : []),
  ];
}

const within = (value: number, min: number, max: number): number => Math.min(max, Math.max(min, value));
