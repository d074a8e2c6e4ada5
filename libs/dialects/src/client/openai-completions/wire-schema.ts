import * as z from 'zod';
import { optional } from '../request/optional.ts';
import { modelName, stopText } from '../request/short-text.ts';

/** `stream_options`. */
export const streamOptionsSchema = z.looseObject({ include_usage: optional(z.boolean()) });

/** The body of a request, as far as it is used or refused; unknown keys are kept, to be named as ignored (contract 4.2). */
export const requestSchema = z.looseObject({
  model: optional(modelName),
  // Token numbers are told apart where they are refused, so that the refusal says what they are.
  prompt: z.union([z.string(), z.array(z.unknown())]),
  suffix: optional(z.string()),
  max_tokens: optional(z.int().min(1)),
  temperature: optional(z.number().min(0).max(2)),
  top_p: optional(z.number().min(0).max(1)),
  stop: optional(z.union([stopText, z.array(stopText).max(4)])),
  stream: optional(z.boolean()),
  stream_options: optional(streamOptionsSchema),
  echo: optional(z.boolean()),
  n: optional(z.int().min(1).max(128)),
  best_of: optional(z.int().min(0).max(20)),
  logprobs: optional(z.int().min(0).max(5)),
  frequency_penalty: optional(z.number().min(-2).max(2)),
  presence_penalty: optional(z.number().min(-2).max(2)),
});

/** A checked request: absent and null are both `undefined`. */
export type WireRequest = z.output<typeof requestSchema>;
