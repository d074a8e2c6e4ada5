/** A valid request of one endpoint. */
export interface DialectBody {
  readonly path: string;
  readonly body: Readonly<Record<string, unknown>>;
  /** Whose shape error bodies have. */
  readonly api: 'openai' | 'anthropic';
}

const model = 'glm-4.7-nothinking';
const parameters = { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] };

/** For each turn endpoint the request that asks this, streamed. */
export const turnBodies = (prompt: string): readonly DialectBody[] => [
  {
    path: '/v1/chat/completions',
    api: 'openai',
    body: { model, messages: [{ role: 'user', content: prompt }], stream: true },
  },
  { path: '/v1/completions', api: 'openai', body: { model, prompt, stream: true } },
  { path: '/v1/responses', api: 'openai', body: { model, input: prompt, stream: true, store: false } },
  {
    path: '/v1/messages',
    api: 'anthropic',
    body: { model, max_tokens: 10_000, messages: [{ role: 'user', content: prompt }], stream: true },
  },
];

const messages = {
  model,
  system: [{ type: 'text', text: 'Be kind.', cache_control: { type: 'ephemeral' } }],
  messages: [
    { role: 'user', content: [{ type: 'text', text: 'hi' }] },
    {
      role: 'assistant',
      content: [
        { type: 'thinking', thinking: 'hm', signature: 'foreign' },
        { type: 'tool_use', id: 'toolu_1', name: 'get_weather', input: { city: 'Rome' } },
      ],
    },
    {
      role: 'user',
      content: [{ type: 'tool_result', tool_use_id: 'toolu_1', content: [{ type: 'text', text: '20' }] }],
    },
  ],
  tools: [{ name: 'get_weather', description: 'Weather.', input_schema: parameters }],
  tool_choice: { type: 'auto' },
  thinking: { type: 'disabled' },
};

const responses = {
  model,
  instructions: 'Be kind.',
  input: [
    { type: 'message', role: 'developer', content: 'Be brief.' },
    { role: 'user', content: [{ type: 'input_text', text: 'hi' }] },
    { type: 'reasoning', id: 'rs_1', summary: [{ type: 'summary_text', text: 'hm' }], encrypted_content: 'foreign' },
    { type: 'function_call', call_id: 'call_1', name: 'get_weather', arguments: '{"city":"Rome"}' },
    { type: 'function_call_output', call_id: 'call_1', output: '20' },
  ],
  tools: [
    { type: 'function', name: 'get_weather', description: 'Weather.', parameters, strict: false },
    { type: 'web_search' },
  ],
  tool_choice: 'auto',
  reasoning: { effort: 'low', summary: 'auto' },
  text: { format: { type: 'text' }, verbosity: 'low' },
};

/** Requests that use most of what each endpoint knows. */
export const richBodies: readonly DialectBody[] = [
  {
    path: '/v1/chat/completions',
    api: 'openai',
    body: {
      model,
      messages: [
        { role: 'system', content: 'Be kind.' },
        { role: 'user', content: [{ type: 'text', text: 'hi' }], name: 'Ada' },
        {
          role: 'assistant',
          content: null,
          reasoning_content: 'hm',
          tool_calls: [
            { id: 'call_1', type: 'function', function: { name: 'get_weather', arguments: '{"city":"Rome"}' } },
          ],
        },
        { role: 'tool', tool_call_id: 'call_1', content: '20' },
      ],
      tools: [
        { type: 'function', function: { name: 'get_weather', description: 'Weather.', parameters, strict: false } },
      ],
      tool_choice: 'auto',
      stop: ['END'],
      temperature: 0.5,
      top_p: 0.9,
      max_completion_tokens: 1_000,
      response_format: { type: 'text' },
      stream_options: { include_usage: true },
      thinking: { type: 'disabled' },
      metadata: { a: 'b' },
    },
  },
  {
    path: '/v1/completions',
    api: 'openai',
    body: { model, prompt: ['hi'], max_tokens: 100, stop: ['END'], echo: true, temperature: 1, n: 1, suffix: '' },
  },
  {
    path: '/v1/responses',
    api: 'openai',
    body: { ...responses, include: ['reasoning.encrypted_content'], metadata: { a: 'b' }, store: false },
  },
  { path: '/v1/responses/input_tokens', api: 'openai', body: responses },
  {
    path: '/v1/messages',
    api: 'anthropic',
    body: { ...messages, max_tokens: 1_000, stop_sequences: ['END'], temperature: 0.5, metadata: { user_id: 'u' } },
  },
  { path: '/v1/messages/count_tokens', api: 'anthropic', body: messages },
  { path: '/v1/embeddings', api: 'openai', body: { model: 'embedding-3', input: ['hi'], encoding_format: 'float' } },
  {
    path: '/v1/images/generations',
    api: 'openai',
    body: { model: 'glm-image', prompt: 'hi', size: '1280x1280', n: 1 },
  },
];
