import { context, createContextKey, type Context } from '@opentelemetry/api';
import type { ClientDialect } from '@zai2api/dialects';

const key = createContextKey('zai2api: the OpenAI API that is asked');

/** What the conventions call the OpenAI dialects. */
const apiTypes: Readonly<Record<string, string>> = {
  'openai-chat': 'chat_completions',
  'openai-responses': 'responses',
};

/** Serves a turn so that the spans of its upstream calls know in which of OpenAI's APIs it was asked for. */
export function inApiOf<T>({ name }: Pick<ClientDialect, 'name'>, serve: () => T): T {
  return context.with(context.active().setValue(key, apiTypes[name]), serve);
}

/** The value for `openai.api.type`; undefined outside of these dialects. */
export const apiTypeOf = (active: Context): string | undefined => active.getValue(key) as string | undefined;
