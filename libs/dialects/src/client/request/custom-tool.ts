import type { ToolDefinition } from '@zai2api/turn';
import { isRecord } from '../../is-record.ts';

/** A tool that takes free text: the same as a function with one string, which is how its earlier calls are decoded too. */
export function customToolDefinition(name: string, description: string | undefined): ToolDefinition {
  return {
    name,
    description,
    parameters: {
      type: 'object',
      properties: { input: { type: 'string' } },
      required: ['input'],
      additionalProperties: false,
    },
    strict: false,
  };
}

/** The free text of an earlier call as the arguments of that function. */
export function encodeCustomInput(input: string): string {
  return JSON.stringify({ input });
}

/** The free text out of the arguments of that function; whatever else a model wrote is handed over as it is. */
export function decodeCustomInput(argumentsText: string): string {
  try {
    const value: unknown = JSON.parse(argumentsText);
    if (isRecord(value) && typeof value['input'] === 'string') return value['input'];
  } catch {
    // Text that is no JSON is free text already.
  }
  return argumentsText;
}
