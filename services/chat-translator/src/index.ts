export {
  createChatTranslator,
  encodeErrorByPath,
  type ChatTranslator,
  type ChatTranslatorOptions,
} from './chat-translator.ts';
export { translatorProcessSettings, translatorSettings, type TranslatorSettings } from './config.ts';
