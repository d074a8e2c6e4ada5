export { createChatTranslator, type ChatTranslator, type ChatTranslatorOptions } from './chat-translator.ts';
export type { MediaGuardOptions } from './media/fetch-media.ts';
export type { ModelRule } from './models/model-names.ts';
export type { ModelPatternRule } from './models/model-pattern-setting.ts';
export { openSharedCredentials } from './shared-credentials.ts';
export { translatorProcessSettings, translatorSettings, type TranslatorSettings } from './config.ts';
export { openResponseStore } from './responses/open-response-store.ts';
