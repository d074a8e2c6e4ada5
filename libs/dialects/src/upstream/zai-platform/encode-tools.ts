import type { ToolChoice, ToolDefinition, TurnRequest } from '@zai2api/turn';
import { allowedTools } from '../../stages/tool-choice.ts';
import { findRepeatedCalls } from '../../stages/tool-loop.ts';
import type { PlatformTraits } from './platform-models.ts';

/**
 * The `tools` of a completion: those that may be called, and the site's own web search. Empty when there are none. */
export function encodeTools({ tools, toolChoice }: TurnRequest, search: boolean, traits: PlatformTraits): unknown[] {
  const allowed = [...allowedTools(tools, toolChoice).values()];
  return [...allowed.map(encodeTool), ...(search && !traits.vision ? [webSearch] : [])];
}

const encodeTool = ({ name, description, parameters }: ToolDefinition): unknown => ({
  type: 'function',
  function: {
    name,
    description: description ?? '',
    parameters: 'type' in parameters ? parameters : { type: 'object', properties: {}, ...parameters },
  },
});

/** Results come back, so that the answer can name its sources (protocol 10.2). */
const webSearch = {
  type: 'web_search',
  web_search: { enable: true, search_engine: 'search_pro_jina', search_result: true },
};

/** What the model is told in words because the API takes no `tool_choice` but `auto` (protocol 10.2); empty when nothing has to be said. */
export function encodeToolDemand({ tools, toolChoice, parallelToolCalls, messages }: TurnRequest): string {
  const allowed = [...allowedTools(tools, toolChoice).keys()];
  if (allowed.length === 0) return '';
  const repeated = findRepeatedCalls(messages);
  return [
    ...demandOf(allowed, toolChoice),
    ...(parallelToolCalls ? [] : ['Call one tool at most in this reply.']),
    ...(repeated
      ? [
          `The last ${repeated.times} replies all made the same tool call, and its result was the same every time. Repeat it only to ` +
            'wait for something that changes by itself. Otherwise use the result, try something else, or say what is missing.',
        ]
      : []),
  ].join('\n');
}

function demandOf(allowed: readonly string[], { mode }: ToolChoice): string[] {
  if (mode !== 'required') return [];
  const what = allowed.length === 1 ? `call the tool ${allowed.join('')}` : 'call at least one of the tools';
  return [`This reply must ${what}. A reply without a tool call is not accepted.`];
}
