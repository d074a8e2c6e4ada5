import type { ScenarioContext } from './scenario.ts';

/** The `error` object of a frame (protocol 8.1). */
export type StreamError = Readonly<Record<string, unknown>>;

type Texts = Readonly<Record<ScenarioContext['language'], string>>;

const refreshPage: Texts = {
  en: 'Please refresh the page to update the app, then try again.',
  zh: '请刷新页面以更新应用后重试。',
};

type ErrorMaker = (context: Pick<ScenarioContext, 'language' | 'model'>) => StreamError;

const plain =
  (code: string | number, texts: Texts): ErrorMaker =>
  ({ language }) => ({ code, detail: texts[language] });

/** Every class of in-stream error of protocol 8.1, with texts in the request's language. */
export const streamErrors = {
  challenge: ({ language }) => ({
    code: 'FRONTEND_CAPTCHA_REQUIRED',
    error_code: 'FRONTEND_CAPTCHA_REQUIRED',
    captcha_error_type: 'missing_param',
    detail: refreshPage[language],
  }),
  'challenge-failed': ({ language }) => ({
    code: 'FRONTEND_CAPTCHA_REQUIRED',
    error_code: 'FRONTEND_CAPTCHA_REQUIRED',
    captcha_error_type: 'verify_failed',
    verify_code: 'F019',
    detail: { en: 'Captcha verification failed', zh: '人机验证失败，请重新验证后再试' }[language],
  }),
  'challenge-verification': plain('VERIFICATION_REQUIRED', { en: 'Verification required.', zh: '需要验证。' }),
  'stale-version': plain('APP_VERSION_OUTDATED', refreshPage),
  'stale-version-text': ({ language }) => ({ detail: refreshPage[language] }),
  'stale-version-426': plain(426, { en: 'client version check failed', zh: '您的客户端校验失败' }),
  concurrency: plain(429, {
    en: 'Your current concurrent conversation limit has been reached. Please try again later.',
    zh: '您当前的并发对话数已达上限，请稍后再试。',
  }),
  'model-busy': ({ language, model }) => ({
    code: 'MODEL_CONCURRENCY_LIMIT',
    detail: {
      en: 'Model is currently at capacity. Please try again later or switch to another model.',
      zh: '当前模型使用人数较多',
    }[language],
    model_id: model,
  }),
  'model-busy-text': ({ language }) => ({
    detail: {
      en: 'Model is currently at capacity. Please try again later or switch to another model.',
      zh: '当前模型使用人数较多',
    }[language],
  }),
  level: plain(403, { en: 'Model not available for current user level', zh: '当前用户无法使用此模型' }),
  sensitive: plain('SENSITIVE', {
    en: 'The content may be unsafe, so I cannot answer it.',
    zh: '内容可能不安全，无法回答。',
  }),
  internal: plain('INTERNAL_ERROR', {
    en: 'Oops, something went wrong. Please try again later.',
    zh: '出错了，请稍后重试。',
  }),
  auth: plain(401, { en: 'Not authenticated', zh: '未登录' }),
  'auth-invalid-token': plain('INVALID_TOKEN', { en: 'Invalid token', zh: '令牌无效' }),
  'model-not-found': plain('MODEL_NOT_FOUND', { en: 'Model not found', zh: '模型不存在' }),
} as const satisfies Record<string, ErrorMaker>;

export type StreamErrorName = keyof typeof streamErrors;

/** All of them, in table order. */
export const streamErrorNames = Object.keys(streamErrors) as StreamErrorName[];

/** The `data` of the usual error frame: the answer ends with it. */
export function errorData(error: StreamError): Readonly<Record<string, unknown>> {
  return { done: true, content: '', error };
}
