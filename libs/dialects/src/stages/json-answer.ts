import { TurnError, type ResponseFormat, type TurnEvent } from '@zai2api/turn';
import { jsonrepair } from 'jsonrepair';
import { isRecord } from '../is-record.ts';
import type { EventStage } from '../render-reasoning.ts';
import type { SchemaCheck } from './schema-check.ts';

/** The wire reason of an answer that is not the JSON that was asked for. */
export const INVALID_STRUCTURED_OUTPUT = 'invalid_structured_output';

/** How much of the checked answer goes into one delta, in characters. */
const PIECE_CHARACTERS = 256;

/**
 * Holds the text of an answer that must be JSON until it is whole, and lets it through only when it is what was asked for: fences taken
 * off, repaired when nearly JSON, an object, and accepted by the schema. Else the turn ends in `upstream_failed` with the reason above;
 * its message says what is wrong, for the model to be asked again. An answer of tool calls is not touched, nor is one that was cut.
 */
export function createJsonAnswerStage(format: ResponseFormat, check: SchemaCheck): EventStage {
  if (format.type === 'text') return (event) => [event];
  let text = '';
  let block: number | undefined;
  let hasCalls = false;

  function release(content: string): TurnEvent[] {
    if (block === undefined || content === '') return [];
    const events: TurnEvent[] = [{ type: 'text-start', block }];
    for (let at = 0; at < content.length; at += PIECE_CHARACTERS) {
      events.push({ type: 'text-delta', block, text: content.slice(at, at + PIECE_CHARACTERS) });
    }
    events.push({ type: 'text-end', block });
    return events;
  }

  function judge(end: Extract<TurnEvent, { type: 'turn-end' }>): TurnEvent[] {
    // A cut or refused answer is no claim to be whole: it says so itself.
    if (end.reason !== 'stop') return [...release(text), end];
    const json = readJsonObject(text);
    const faults = json === undefined ? ['the answer is not one JSON object'] : faultsOf(json.value);
    if (json !== undefined && faults.length === 0) return [...release(json.text), end];
    const message = `The model’s answer is not the JSON that was asked for: ${faults.slice(0, 5).join('; ')}.`;
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
    switch (event.type) {
      case 'text-start':
        // Later blocks are part of the same text: what stands between them was no text.
        block = event.block;
        return [];
      case 'text-delta':
        text += event.text;
        return [];
      case 'text-end':
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

/** The object that a text holds, and its JSON: as it is when it is JSON, else without its fence, else repaired. */
function readJsonObject(text: string): { readonly text: string; readonly value: unknown } | undefined {
  const trimmed = text.trim();
  const fenced = /^```(?:json)?\s*\n([\s\S]*?)\n?```$/i.exec(trimmed)?.[1]?.trim();
  const braces = trimmed.slice(trimmed.indexOf('{'), trimmed.lastIndexOf('}') + 1);
  for (const candidate of [trimmed, fenced, braces]) {
    const value = candidate ? parse(candidate) : undefined;
    if (candidate && isRecord(value)) return { text: candidate, value };
  }
  // Prose would be "repaired" into a string: only what begins like an object is tried.
  const nearly = fenced ?? trimmed;
  const repaired = nearly.startsWith('{') ? repair(nearly) : undefined;
  const value = repaired === undefined ? undefined : parse(repaired);
  return repaired !== undefined && isRecord(value) ? { text: repaired, value } : undefined;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function repair(text: string): string | undefined {
  try {
    return jsonrepair(text);
  } catch {
    return undefined;
  }
}
