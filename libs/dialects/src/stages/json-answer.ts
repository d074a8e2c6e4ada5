import { TurnError, type ResponseFormat, type TurnEvent } from '@zai2api/turn';
import { isRecord } from '../is-record.ts';
import type { EventStage } from '../render-reasoning.ts';
import type { SchemaCheck } from './schema-check.ts';
import { tryParseJson } from '../try-parse-json.ts';
import { repairJson } from './tool-json-repair.ts';
import { createJsonScanner } from './tool-json-scanner.ts';

/** The wire reason of an answer that is not the JSON that was asked for. */
export const INVALID_STRUCTURED_OUTPUT = 'invalid_structured_output';

const MAX_FAULTS = 5;

/**
 * Holds the text of an answer that must be JSON until it is whole, and lets it through only when it is what was asked for: fences and prose
 * taken off, repaired when nearly JSON, an object, and accepted by the schema. Else the turn ends in `upstream_failed` with the reason
 * above; its message says what is wrong, for the model to be asked again. An answer that was cut is not judged: its end says so itself.
 * Text beside tool calls is left out: clients that asked for JSON parse every text they get.
 */
export function createJsonAnswerStage(format: ResponseFormat, check: SchemaCheck): EventStage {
  if (format.type === 'text') return (event) => [event];
  let text = '';
  let lastBlock = -1;
  let hasCalls = false;

  function release(content: string): TurnEvent[] {
    if (content === '') return [];
    // Behind all others: thinking may have come between the pieces of the text.
    const block = lastBlock + 1;
    return [
      { type: 'text-start', block },
      { type: 'text-delta', block, text: content },
      { type: 'text-end', block },
    ];
  }

  function judge(end: Extract<TurnEvent, { type: 'turn-end' }>): TurnEvent[] {
    if (end.reason !== 'stop') return [...release(text), end];
    const json = readJsonObject(text);
    const faults = json === undefined ? ['the answer is not one JSON object'] : faultsOf(json.value);
    if (json !== undefined && faults.length === 0) return [...release(json.text), end];
    const message = `The model’s answer is not the JSON that was asked for: ${faults.slice(0, MAX_FAULTS).join('; ')}.`;
    return [
      {
        type: 'turn-error',
        error: new TurnError('upstream_failed', message, { layer: 'upstream', reason: INVALID_STRUCTURED_OUTPUT }),
      },
    ];
  }

  const faultsOf = (value: unknown): readonly string[] =>
    format.type === 'json-schema' ? check(format.schema, value) : [];

  return (event) => {
    if ('block' in event) lastBlock = Math.max(lastBlock, event.block);
    switch (event.type) {
      case 'text-start':
      case 'text-end':
        return [];
      case 'text-delta':
        text += event.text;
        return [];
      case 'tool-call-start':
        hasCalls = true;
        return [event];
      case 'turn-end':
        return hasCalls ? [event] : judge(event);
      default:
        return [event];
    }
  };
}

interface JsonObject {
  readonly text: string;
  readonly value: Readonly<Record<string, unknown>>;
}

/** The one object that a text holds, and its JSON: as it stands there when that is JSON, else repaired. */
function readJsonObject(text: string): JsonObject | undefined {
  const trimmed = text.trim();
  const fenced = trimmed.startsWith('{') ? undefined : readFence(trimmed);
  for (const whole of [trimmed, fenced]) {
    const value = whole === undefined ? undefined : tryParseJson(whole);
    if (whole !== undefined && value !== undefined) return isRecord(value) ? { text: whole, value } : undefined;
  }
  return readEmbedded(fenced ?? trimmed);
}

/** The inside of a code fence, up to the last one: strings may hold fences too. */
function readFence(text: string): string | undefined {
  const opening = /```[a-z0-9]{0,16}[ \t]{0,16}\r?\n/i.exec(text);
  if (!opening) return undefined;
  const from = opening.index + opening[0].length;
  const to = text.lastIndexOf('```');
  return text.slice(from, to < from ? undefined : to).trim();
}

/** The object in a text that is not JSON as a whole: with prose round it, or written not quite as JSON. */
function readEmbedded(text: string): JsonObject | undefined {
  const at = text.search(/[[{]/);
  // The objects of a list are not the object that was asked for.
  if (text.charAt(at) !== '{') return undefined;
  const rest = text.slice(at);
  const scanner = createJsonScanner('object');
  const json = rest.slice(0, scanner.push(rest));
  if (scanner.state === 'complete') {
    const isOneOfSeveral = /^\s*[,[{]/.test(rest.slice(json.length));
    return isOneOfSeveral ? undefined : toObject(json);
  }
  // What lacks its end in the middle of a value would be completed by guessing; and prose would be "repaired" too.
  const mayBeRepaired = rest.endsWith('}') || (scanner.state === 'open' && scanner.betweenValues);
  return at === 0 && mayBeRepaired ? toObject(repairJson(rest)) : undefined;
}

function toObject(json: string | undefined): JsonObject | undefined {
  const value = json === undefined ? undefined : tryParseJson(json);
  return json !== undefined && isRecord(value) ? { text: json, value } : undefined;
}
