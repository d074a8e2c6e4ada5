import { isRecord } from '@zai2api/dialects';
import { parseRequestJson } from '@zai2api/runtime';
import { TurnError } from '@zai2api/turn';

/** One `response.create` (contract 2.8). */
export interface CreateEvent {
  /** `stream_id`: creates of one lane run one after the other, those of different lanes at the same time. */
  readonly lane: string | undefined;
  /** `generate: false`: the client only wants its input read. */
  readonly isPrewarm: boolean;
  readonly previousResponseId: string | undefined;
  /** The items of `input` as JSON, between commas; undefined when it is neither a text nor a list, which is for others to refuse. */
  readonly items: string | undefined;
  /** All other fields of the body. */
  readonly body: Readonly<Record<string, unknown>>;
}

/** What one frame of a client means. */
export type ClientEvent =
  | { readonly kind: 'create'; readonly event: CreateEvent }
  /** Understood, and nothing to do. */
  | { readonly kind: 'nothing' }
  | { readonly kind: 'fault'; readonly error: TurnError; readonly lane: string | undefined };

const LANE = /^[A-Za-z0-9_.-]{1,256}$/;

/** Reads a text frame. Never throws: what is wrong with it is said in the lane that it names, if it does. */
export function readClientEvent(text: string): ClientEvent {
  let lane: string | undefined;
  try {
    const event = parseRequestJson(text);
    if (!isRecord(event)) throw fault('An event must be a JSON object.');
    const { type, stream_id: streamId } = event;
    if (streamId !== undefined && streamId !== null) {
      if (typeof streamId !== 'string' || !LANE.test(streamId)) {
        throw fault(
          "Invalid value for 'stream_id': expected 1 to 256 of A-Z a-z 0-9 _ . -",
          'stream_id',
          'invalid_value',
        );
      }
      lane = streamId;
    }
    // A client says that it has taken in a response; there is nothing to do for it here.
    if (type === 'response.processed') return { kind: 'nothing' };
    if (type !== 'response.create')
      throw fault("Unknown event type: expected 'response.create'.", 'type', 'invalid_value');
    return { kind: 'create', event: readCreate(event, lane) };
  } catch (reason) {
    return { kind: 'fault', error: TurnError.from(reason), lane };
  }
}

function readCreate(event: Readonly<Record<string, unknown>>, lane: string | undefined): CreateEvent {
  // The answer is always streamed, and never in the background (contract 2.8).
  const {
    type: _type,
    stream_id: _lane,
    stream: _stream,
    background: _background,
    generate,
    input,
    previous_response_id: previous,
    ...body
  } = event;
  if (previous !== undefined && previous !== null && typeof previous !== 'string') {
    throw fault("Invalid type for 'previous_response_id': expected string.", 'previous_response_id', 'invalid_type');
  }
  const items = itemsOf(input);
  return {
    lane,
    isPrewarm: generate === false,
    previousResponseId: previous ?? undefined,
    items,
    body: items === undefined ? { ...body, input } : body,
  };
}

function itemsOf(input: unknown): string | undefined {
  if (input === undefined || input === null) return '';
  if (typeof input === 'string') return JSON.stringify({ type: 'message', role: 'user', content: input });
  return Array.isArray(input) ? JSON.stringify(input).slice(1, -1) : undefined;
}

function fault(message: string, param?: string, reason?: string): TurnError {
  return new TurnError('invalid_request', message, {
    layer: 'client',
    ...(param !== undefined && { param }),
    ...(reason !== undefined && { reason }),
  });
}
