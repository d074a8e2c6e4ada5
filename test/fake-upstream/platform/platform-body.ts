import { z } from 'zod';

const part = z.union([
  z.strictObject({ type: z.literal('text'), text: z.string() }),
  z.strictObject({ type: z.literal('image_url'), image_url: z.strictObject({ url: z.string().min(1) }) }),
  z.strictObject({ type: z.literal('video_url'), video_url: z.strictObject({ url: z.string().min(1) }) }),
  z.strictObject({
    type: z.literal('file'),
    file: z.strictObject({ file_data: z.string().min(1), filename: z.string().min(1) }),
  }),
]);

const call = z.strictObject({
  id: z.string().min(1),
  type: z.literal('function'),
  function: z.strictObject({ name: z.string(), arguments: z.string() }),
});

const message = z.union([
  z.strictObject({ role: z.literal('system'), content: z.string() }),
  z.strictObject({ role: z.literal('user'), content: z.union([z.string(), z.array(part).min(1)]) }),
  z.strictObject({
    role: z.literal('assistant'),
    content: z.string(),
    reasoning_content: z.string().optional(),
    tool_calls: z.array(call).min(1).optional(),
  }),
  z.strictObject({ role: z.literal('tool'), tool_call_id: z.string().min(1), content: z.string() }),
]);

const tool = z.union([
  z.strictObject({
    type: z.literal('function'),
    function: z.strictObject({
      name: z.string().regex(/^[a-zA-Z0-9_-]{1,64}$/),
      description: z.string(),
      parameters: z.looseObject({ type: z.literal('object') }),
    }),
  }),
  z.strictObject({ type: z.literal('web_search'), web_search: z.looseObject({ enable: z.boolean() }) }),
]);

/** A completion's body as the schema of the official API has it, and not a field more (protocol 10.2). */
export const platformBody = z.strictObject({
  model: z.string(),
  messages: z.array(message).min(1),
  stream: z.boolean().optional(),
  thinking: z
    .strictObject({ type: z.enum(['enabled', 'disabled']), clear_thinking: z.boolean().optional() })
    .optional(),
  reasoning_effort: z.enum(['max', 'high', 'low', 'medium', 'xhigh', 'minimal', 'none']).optional(),
  do_sample: z.boolean().optional(),
  temperature: z.number().min(0).max(1).optional(),
  top_p: z.number().min(0.01).max(1).optional(),
  max_tokens: z.int().min(1).max(131_072).optional(),
  tools: z.array(tool).max(128).optional(),
  tool_choice: z.literal('auto').optional(),
  tool_stream: z.boolean().optional(),
  stop: z.array(z.string()).max(4).optional(),
  response_format: z.strictObject({ type: z.enum(['text', 'json_object']) }).optional(),
  request_id: z.string().min(6).max(64).optional(),
  user_id: z.string().min(6).max(128).optional(),
});

/** A body that fits. */
export type PlatformBody = z.output<typeof platformBody>;
