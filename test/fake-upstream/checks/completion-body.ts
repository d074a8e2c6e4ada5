import { z } from 'zod';

/** What the checks read of a completion body (protocol 4.6). */
export const completionBody = z.looseObject({
  model: z.string(),
  messages: z.array(z.looseObject({ role: z.string(), content: z.unknown() })).min(1),
  signature_prompt: z.string().optional(),
  chat_id: z.string().nullish(),
  features: z.looseObject({ enable_thinking: z.boolean().nullish() }).nullish(),
  current_user_message_id: z.string().nullish(),
  files: z
    .array(z.looseObject({ id: z.string(), type: z.string().nullish(), ref_user_msg_id: z.string().nullish() }))
    .nullish(),
  captcha_verify_param: z.unknown().optional(),
  tools: z.unknown().optional(),
});

/** A body that fits. */
export type CompletionBody = z.output<typeof completionBody>;
