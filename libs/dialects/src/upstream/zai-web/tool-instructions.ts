import type { ToolChoice, ToolDefinition } from '@zai2api/turn';
import { allowedTools } from '../../stages/tool-choice.ts';
import type { RepeatedCalls } from '../../stages/tool-loop.ts';
import { CALLS_CLOSE, CALLS_OPEN, encodeAttribute, encodeToolCall } from '../../stages/tool-markup.ts';

/** The tools of a request and whether they must be called, as far as the prompt tells the model. */
export interface ToolPrompt {
  readonly tools: readonly ToolDefinition[];
  readonly toolChoice: ToolChoice;
  /** False: at most one call in an answer. */
  readonly parallelToolCalls: boolean;
  readonly repeated?: RepeatedCalls | undefined;
}

/** What the model is told about tools: shortly before the conversation, in full behind it, where it has the most effect (protocol 6). */
export interface ToolInstructions {
  readonly opening: string;
  readonly closing: string;
}

/** The instructions for the tools that may be called; undefined when there are none. */
export function encodeToolInstructions(prompt: ToolPrompt): ToolInstructions | undefined {
  const tools = Array.from(allowedTools(prompt.tools, prompt.toolChoice).values());
  if (tools.length === 0) return undefined;
  const names = tools.map(({ name }) => name).join(', ');
  const example = encodeToolCall({ name: 'NAME', argumentsText: '{"argument":"value"}' });
  const rules = [
    'What you want to say comes first, as plain text. The block is the last thing in the reply: nothing behind it, no code fence round it, and only one block.',
    `NAME is one of: ${names}. There are no other tools.`,
    'Between <![CDATA[ and ]]> stands one JSON object that fits the JSON Schema of the tool, or {} when it takes no arguments. Inside of JSON strings write ]]> as ]]\\u003e.',
    prompt.parallelToolCalls
      ? 'Calls that do not need the results of one another go into the same block, each as a <tool_call> element of its own.'
      : 'Write one call only.',
    'Only the block calls a tool: announcing a call in words, or writing it while thinking, has no effect. Results come in the next message; never make them up.',
    encodeDemand(tools, prompt.toolChoice),
  ];
  return {
    opening: `You can call these tools: ${names}. They are described behind the conversation.`,
    closing: [
      `You can call these tools:\n<tools>\n${tools.map(encodeTool).join('\n')}\n</tools>`,
      `To call tools, end the reply with a block in exactly this form:\n${CALLS_OPEN}\n${example}\n${CALLS_CLOSE}`,
      rules.map((rule) => `- ${rule}`).join('\n'),
      ...(prompt.repeated ? [encodeRepetition(prompt.repeated)] : []),
    ].join('\n\n'),
  };
}

const encodeTool = ({ name, description, parameters }: ToolDefinition): string =>
  [
    `<tool name="${encodeAttribute(name)}">`,
    ...(description ? [description] : []),
    `JSON Schema of the arguments: ${JSON.stringify(parameters)}`,
    '</tool>',
  ].join('\n');

function encodeDemand(tools: readonly ToolDefinition[], { mode }: ToolChoice): string {
  if (mode !== 'required') return 'Call a tool when it helps; otherwise reply in plain text without a block.';
  const what = tools.length === 1 ? `call ${tools[0]?.name ?? ''}` : 'call at least one tool';
  return `This reply must ${what}. A reply without a call is not accepted.`;
}

/** A poll may go on; a model that has lost its way is told so. */
function encodeRepetition({ calls, times }: RepeatedCalls): string {
  const what = calls.map(({ name, argumentsText }) => `${name} with ${argumentsText}`).join(' and ');
  return (
    `Note: the last ${times} replies all called ${what}, and the result was the same every time. Repeat that only to wait for ` +
    'something that changes by itself. Otherwise use the result, try something else, or say what is missing.'
  );
}
