import type { ScenarioContext } from './scenario.ts';

/** A call that a scenario makes. */
export interface FakeCall {
  readonly name: string;
  /** JSON text. */
  readonly arguments: string;
}

/** `name=` and `arguments=` (JSON without spaces) choose the call. */
export function wantedCall(context: ScenarioContext): FakeCall {
  return {
    name: context.parameters.get('name') ?? 'get_weather',
    arguments: context.parameters.get('arguments') ?? '{"city":"Paris"}',
  };
}

/** A call as XML with CDATA. */
export const xmlCall = (call: FakeCall, id = 'call_1'): string =>
  `<tool_call id="${id}"><name>${call.name}</name><arguments><![CDATA[${call.arguments}]]></arguments></tool_call>`;

const jsonCall = (call: FakeCall): string =>
  JSON.stringify({ tool_calls: [{ id: 'call_1', type: 'function', function: call }] });

/** How a call looks that the model writes as text; what a scenario of each name answers. */
export const toolTexts: Readonly<
  Record<string, { readonly description: string; readonly text: (call: FakeCall) => string }>
> = {
  'tool-call-xml': {
    description: 'the text `<tool_calls><tool_call>…` with CDATA',
    text: (call) => `<tool_calls>${xmlCall(call)}</tool_calls>`,
  },
  'tool-call-xml-after-text': {
    description: 'a sentence, then the XML',
    text: (call) => `I will look.\n<tool_calls>${xmlCall(call)}</tool_calls>`,
  },
  'tool-call-xml-two': {
    description: 'two calls in one XML block',
    text: (call) => {
      const second = { ...call, arguments: '{"city":"Rome"}' };
      return `<tool_calls>${xmlCall(call)}${xmlCall(second, 'call_2')}</tool_calls>`;
    },
  },
  'tool-call-tag-json': {
    description: 'the text `<tool_call>{"name","arguments"}</tool_call>`',
    text: (call) => `<tool_call>{"name":${JSON.stringify(call.name)},"arguments":${call.arguments}}</tool_call>`,
  },
  'tool-call-json': {
    description: 'a fenced JSON object with tool_calls',
    text: (call) => `\`\`\`json\n${jsonCall(call)}\n\`\`\``,
  },
  'tool-call-json-inline': { description: 'the same JSON without a fence', text: jsonCall },
  'tool-call-broken': {
    description: 'XML with `]>` for `]]>` and without its closing tags',
    text: (call) =>
      `<tool_calls><tool_call id="call_1"><name>${call.name}</name><arguments><![CDATA[${call.arguments}]>`,
  },
  'tool-call-bad-arguments': {
    description: 'XML whose arguments are not JSON',
    text: (call) => `<tool_calls>${xmlCall({ ...call, arguments: '{"city": Paris' })}</tool_calls>`,
  },
  'tool-call-undeclared': {
    description: 'XML that calls a tool nobody declared',
    text: (call) => `<tool_calls>${xmlCall({ ...call, name: 'launch_rockets' })}</tool_calls>`,
  },
};
