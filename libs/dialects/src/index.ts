export { anthropicMessages } from './client/anthropic-messages/index.ts';
export { listClaudeNames, withoutClaude } from './client/anthropic-messages/claude-names.ts';
export { decodeAnthropicCountRequest } from './client/anthropic-messages/decode-request.ts';
export {
  encodeAnthropicModel,
  encodeAnthropicModelPage,
  type PageWish,
} from './client/anthropic-messages/encode-models.ts';
export { clientDialectForPath, encodeErrorForPath, errorDialectForPath, speaksAnthropic } from './client/by-path.ts';
export { canonicalPath, cleanPath } from './client/canonical-path.ts';
export type {
  AnswerContext,
  ClientCodecContext,
  ClientDialect,
  ClientDialectName,
  DecodedRequest,
  EncodedError,
  ErrorContext,
  ErrorDialect,
  StreamEncoder,
} from './client/client-dialect.ts';
export { encodeOpenAiModel, encodeOpenAiModelList } from './client/openai-chat/encode-models.ts';
export { openAiChat } from './client/openai-chat/index.ts';
export { openAiCompletions } from './client/openai-completions/index.ts';
export {
  concludeResponse,
  encodeLastEvent,
  parseResponse,
  STREAM_END,
  type ForcedEnd,
  type ReadResponse,
} from './client/openai-responses/conclude-response.ts';
export { encodeResponsesErrorFrame } from './client/openai-responses/encode-error.ts';
export type { StoredItem } from './client/openai-responses/continue-conversation.ts';
export {
  readResponseRequest,
  type AskedResponse,
  type DecodedResponseRequest,
  type FoundItems,
} from './client/openai-responses/decode-request.ts';
export type { ResponsesStreamEncoder } from './client/openai-responses/encode-stream.ts';
export { openAiResponses } from './client/openai-responses/index.ts';
export { isResponseId, responseIdOfItem } from './client/openai-responses/item-ids.ts';
export { decodeEmbeddingRequest, type DecodedEmbeddingRequest } from './client/openai-embeddings/decode-request.ts';
export { encodeEmbeddingResponse } from './client/openai-embeddings/encode-response.ts';
export { decodeImageRequest, type DecodedImageRequest } from './client/openai-images/decode-request.ts';
export type { CodecContext } from './codec-context.ts';
export { isRecord } from './is-record.ts';
export {
  MAX_SUFFIXES,
  builtInModels,
  expandModels,
  resolveModel,
  type ModelInfo,
  type ModelSwitches,
  type ResolvedModel,
  type UpstreamModel,
} from './models.ts';
export { contextTokensOf } from './model-context.ts';
export { createReasoningStage, type EventStage } from './render-reasoning.ts';
export { createSseDecoder, type SseDecoder, type SseFrame } from './sse/decode-sse.ts';
export { createUsageEstimate, type UsageEstimate } from './stages/estimate-usage.ts';
export { createJsonAnswerStage, INVALID_STRUCTURED_OUTPUT } from './stages/json-answer.ts';
export { createLimitStage, type LimitOptions, type LimitStage } from './stages/limit-output.ts';
export { createSourceListStage } from './stages/list-sources.ts';
export type { SchemaCheck } from './stages/schema-check.ts';
export { createToolBridge, type ToolBridgeOptions } from './stages/tool-bridge.ts';
export {
  INVALID_TOOL_CALL,
  isUnmetDemand,
  TOOL_CHOICE_NOT_SATISFIED,
  unusableAnswerReasons,
} from './stages/tool-errors.ts';
export { streamHeaders } from './sse/stream-headers.ts';
export { tryParseJson } from './try-parse-json.ts';
export type { UpstreamDecoder } from './upstream/upstream-decoder.ts';
export type { EncodedRequest } from './upstream/encoded-request.ts';
export { decodeHttpError } from './upstream/zai-web/decode-error.ts';
export { decodeIdentity, type WebIdentity } from './upstream/zai-web/decode-identity.ts';
export { decodeModels } from './upstream/zai-web/decode-models.ts';
export { createZaiWebDecoder, type ZaiWebDecoderOptions } from './upstream/zai-web/decode-stream.ts';
export { decodeChatId, encodeChatCreation, encodeChatDeletion } from './upstream/zai-web/encode-chat.ts';
export { encodeCommonHeaders } from './upstream/zai-web/encode-common-headers.ts';
export { encodeCompletion, type CompletionInput } from './upstream/zai-web/encode-completion.ts';
export {
  decodeFileId,
  encodeFileUpload,
  nameAttachments,
  type CompletionFile,
} from './upstream/zai-web/encode-files.ts';
export { encodeConversation, historyModes, type HistoryMode } from './upstream/zai-web/encode-conversation.ts';
export { encodeFormatInstructions } from './upstream/format-instructions.ts';
export { findFrontendVersion } from './upstream/zai-web/frontend-version.ts';
export type { SigningFunctions } from './upstream/zai-web/sign-request.ts';
export type { WebProfile } from './upstream/zai-web/web-profile.ts';
export { blameRequest as blamePlatformRequest } from './upstream/zai-platform/blame-request.ts';
export { decodeHttpError as decodePlatformHttpError } from './upstream/zai-platform/decode-error.ts';
export { decodeModels as decodePlatformModels } from './upstream/zai-platform/decode-models.ts';
export { createZaiPlatformDecoder, type ZaiPlatformDecoderOptions } from './upstream/zai-platform/decode-stream.ts';
export { encodeCommonHeaders as encodePlatformHeaders } from './upstream/zai-platform/encode-common-headers.ts';
export {
  encodeCompletion as encodePlatformCompletion,
  limitedFields,
  type PlatformCompletionInput,
} from './upstream/zai-platform/encode-completion.ts';
export type { PlatformFile } from './upstream/zai-platform/encode-messages.ts';
export { builtInPlatformModels } from './upstream/zai-platform/platform-models.ts';
export {
  decodeEmbeddings as decodePlatformEmbeddings,
  encodeEmbeddings as encodePlatformEmbeddings,
  MAX_TEXTS_PER_CALL,
} from './upstream/zai-platform/encode-embeddings.ts';
export {
  decodeImage as decodePlatformImage,
  encodeImage as encodePlatformImage,
} from './upstream/zai-platform/encode-images.ts';
export { refuseRequest as refusePlatformRequest } from './upstream/zai-platform/refuse-request.ts';
export type { PlatformProfile } from './upstream/zai-platform/platform-profile.ts';
