import { setting } from './setting.ts';

/** Settings that more than one service reads but not all do: declared once, so that a value is good for all of them or for none. */
export const sharedSettings = {
  ZAI_REQUEST_TIMEOUT: setting.seconds({
    default: 60,
    min: 0.1,
    description: 'Seconds for a call to the upstream that is no answer: sessions, models, chats.',
  }),
  ZAI_UPSTREAM_TOKEN: setting.secret({
    description: 'Your own chat.z.ai token, or several, comma separated. Preferred over guest tokens.',
  }),
  ZAI_UPSTREAM_TOKEN_CONCURRENCY: setting.integer({
    default: 3,
    min: 1,
    max: 1_000,
    description: 'Turns that may run at once on one user token.',
  }),
  ZAI_MAX_BODY_BYTES: setting.integer({
    default: 33_554_432,
    min: 1024,
    description: 'Largest request body, in bytes, as it is sent and without its compression.',
  }),
};
