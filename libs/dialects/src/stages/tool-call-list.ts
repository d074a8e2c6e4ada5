import { isRecord } from '../is-record.ts';
import { repairJson } from './tool-json-repair.ts';

/** A call as it stands in text or in a frame, before anything about it was checked. */
export interface WrittenCall {
  readonly name: string;
  /** JSON text, or what should have been some. */
  readonly argumentsText: string;
  readonly id?: string;
}

/** Lists of lists are nested no deeper than this in any known shape. */
const MAX_DEPTH = 3;

/** The calls that a JSON value names, in any of the known shapes (protocol 5.6, 6): a list, one call, or an object with `tool_calls`. */
export function readWrittenCalls(value: unknown, depth = 0): WrittenCall[] {
  const list = isRecord(value) ? value['tool_calls'] : value;
  if (Array.isArray(list)) return depth < MAX_DEPTH ? list.flatMap((each) => readWrittenCalls(each, depth + 1)) : [];
  if (!isRecord(value)) return [];
  const inner = isRecord(value['function']) ? value['function'] : value;
  const name = inner['name'];
  const argumentsText = encodeArguments(inner['arguments'] ?? inner['parameters'] ?? inner['input'] ?? {});
  if (typeof name !== 'string' || name === '' || argumentsText === undefined) return [];
  const id = value['id'];
  return [{ name, argumentsText, ...(typeof id === 'string' && id !== '' ? { id } : {}) }];
}

/** The calls of a JSON text that may need repair. */
export function parseWrittenCalls(text: string): WrittenCall[] {
  const json = repairJson(text);
  if (json === undefined) return [];
  try {
    return readWrittenCalls(keepNumbers(json));
  } catch {
    // Nested too deeply to be looked through.
    return [];
  }
}

function encodeArguments(given: unknown): string | undefined {
  if (typeof given === 'string') return given;
  try {
    return JSON.stringify(given);
  } catch {
    return undefined;
  }
}

/** A reviver that is told how a number was written; the compiler's library does not know its third argument yet. */
type SourceReviver = (this: unknown, key: string, value: unknown, context?: { readonly source?: string }) => unknown;

const { rawJSON } = JSON as { readonly rawJSON?: (text: string) => unknown };

/** Ids beyond 2^53 are numbers in JSON and would come out as other ids. */
function keepNumbers(json: string): unknown {
  const reviver: SourceReviver = (_key, value, context) => {
    const source = context?.source;
    const isExact = typeof value !== 'number' || source === undefined || String(value) === source;
    return isExact || !rawJSON ? value : rawJSON(source);
  };
  return JSON.parse(json, reviver) as unknown;
}
