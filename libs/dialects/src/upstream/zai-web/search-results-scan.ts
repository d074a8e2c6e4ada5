import type { Phase } from './answer-document.ts';
import { readSearchResults, type SearchResult } from './search-results.ts';

/** Finds the end of a JSON array or object that comes in pieces. */
export interface JsonSpan {
  /** The place behind the value's last bracket in this piece; undefined when more is needed; -1 when it can have no end. */
  push(text: string): number | undefined;
}

/** More than any results are long: what goes on beyond is not waited for. */
export const MAX_RESULT_CHARACTERS = 1024 * 1024;

/** `"search_result":[`, also where the JSON is itself text within JSON; the same backslashes stand before both quotes. */
const listStart = /(\\*)"search_result\1"\s{0,8}:\s{0,8}(?=\[)/;
const MAX_LIST_START_CHARACTERS = 64;

/** In these phases the model speaks: JSON there is its own unless it names references. */
const spokenPhases = new Set<Phase>(['answer', 'thinking', undefined]);

/**
 * A span for a value that was encoded as a JSON string `level` times. At level n a quote of the value itself has 2^n - 1 backslashes
 * before it; one level of decoding halves a run of them.
 */
export function createJsonSpan(level: number): JsonSpan {
  let depth = 0;
  let inString = false;
  let backslashes = 0;

  /** The backslashes that are left before a quote once all levels are decoded; undefined when the quote ends an outer string. */
  function decodedBackslashes(): number | undefined {
    let run = backslashes;
    for (let step = 0; step < level; step++) {
      if (run % 2 === 0) return undefined;
      run = (run - 1) / 2;
    }
    return run;
  }

  return {
    push(text) {
      for (let at = 0; at < text.length; at++) {
        const character = text.charAt(at);
        if (character === '\\') {
          backslashes += 1;
          continue;
        }
        if (character === '"') {
          const run = decodedBackslashes();
          if (run === undefined) return -1;
          if (run % 2 === 0) inString = !inString;
        } else if (!inString) {
          if (character === '[' || character === '{') depth += 1;
          if (character === ']' || character === '}') depth -= 1;
          if (depth === 0) return at + 1;
        }
        backslashes = 0;
      }
      return undefined;
    },
  };
}

/** Reads the results in everything that the upstream writes, shown or hidden, and however it is cut. */
export interface ResultScanner {
  push(text: string, phase: Phase): void;
}

/** A scanner for one document from its start: lists may stand bare, in a tool's block, or as text in the JSON of one. */
export function createResultScanner(onResults: (results: readonly SearchResult[]) => void): ResultScanner {
  let tail = '';
  let list: { readonly level: number; readonly span: JsonSpan; readonly spoken: boolean } | undefined;
  let collected = '';

  function takeList(level: number, spoken: boolean): void {
    const results = readSearchResults(parseAtLevel(collected, level));
    onResults(spoken ? results.filter(({ reference }) => reference !== undefined) : results);
  }

  /** Returns what stands behind the list, when it ends here. */
  function collect(text: string): string | undefined {
    if (!list) return text;
    const end = list.span.push(text);
    if (end === -1) {
      list = undefined;
      return text;
    }
    collected += text.slice(0, end);
    if (end === undefined) {
      if (collected.length > MAX_RESULT_CHARACTERS) list = undefined;
      return undefined;
    }
    takeList(list.level, list.spoken);
    list = undefined;
    return text.slice(end);
  }

  return {
    push(text, phase) {
      let rest = collect(text);
      while (rest !== undefined) {
        const searched: string = tail + rest;
        const start = searched.includes('search_result') ? listStart.exec(searched) : null;
        tail = start ? '' : searched.slice(-MAX_LIST_START_CHARACTERS);
        if (!start) return;
        const level = Math.log2((start[1] ?? '').length + 1);
        rest = searched.slice(start.index + start[0].length);
        if (!Number.isInteger(level)) continue;
        list = { level, span: createJsonSpan(level), spoken: spokenPhases.has(phase) };
        collected = '';
        rest = collect(rest);
      }
    },
  };
}

/** True when a whole piece is nothing but JSON with results in it, which is no text for a client in whatever phase it comes. */
export function isResultJson(text: string, phase: Phase): boolean {
  if (!text.includes('search_result') || !/^\s*\{/.test(text) || parse(text) === undefined) return false;
  let found = false;
  createResultScanner((results) => (found ||= results.length > 0)).push(text, phase);
  return found;
}

function parseAtLevel(text: string, level: number): unknown {
  let decoded: unknown = text;
  for (let step = 0; step < level; step++) {
    if (typeof decoded !== 'string') return undefined;
    decoded = parse(`"${decoded}"`);
  }
  return typeof decoded === 'string' ? parse(decoded) : undefined;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
