import type { ToolChoice } from '@zai2api/turn';
import { invalidValue, required } from '../request/request-fault.ts';
import type { DecodedTools } from './decode-tools.ts';
import type { WireConversation } from './wire-schema.ts';

/**
 * Which tool is to be called (contract 3.2). Throws when a call is demanded without tools, or of a tool that nobody declared. A demand for
 * a tool that was declared and cannot be called here leaves the choice to the model.
 */
export function decodeToolChoice(
  choice: WireConversation['tool_choice'],
  { tools, uncallable }: DecodedTools,
): ToolChoice {
  if (!choice || choice.type === 'auto') return { mode: 'auto' };
  if (choice.type === 'none') return { mode: 'none' };
  if (choice.type === 'any') {
    if (tools.length > 0) return { mode: 'required' };
    if (uncallable.size > 0) return { mode: 'auto' };
    throw invalidValue('tool_choice', 'a call is demanded, but there are no tools.');
  }
  const name = required(choice.name, 'tool_choice.name');
  if (tools.some((tool) => tool.name === name)) return { mode: 'required', tools: [name] };
  if (uncallable.has(name)) return { mode: 'auto' };
  throw invalidValue('tool_choice.name', 'the named tool is not among the declared ones.');
}
