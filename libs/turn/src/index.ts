export { assertNever } from './assert-never.ts';
export { createEventChecker, type EventChecker } from './check-events.ts';
export type { EmbeddingRequest, EmbeddingResult } from './embedding.ts';
export type { ImageRequest, ImageResult } from './image.ts';
export { createEventFold, foldEvents, type EventFold } from './fold-events.ts';
export {
  errorCodes,
  TurnError,
  type ErrorCode,
  type ErrorLayer,
  type Recovery,
  type TurnErrorDetails,
} from './turn-error.ts';
export { isContentEvent, type FinishReason, type TurnEvent } from './turn-event.ts';
export {
  attachmentsOf,
  reasoningEfforts,
  reasoningRenderings,
  type ReasoningEffort,
  type ReasoningRendering,
  type ResponseFormat,
  type ToolChoice,
  type ToolDefinition,
  type TurnAttachment,
  type TurnMessage,
  type TurnRequest,
  type TurnToolCall,
  type TurnWarning,
} from './turn-request.ts';
export type { TurnBlock, TurnResult, TurnSource } from './turn-result.ts';
export { addUsage, type Usage } from './usage.ts';
export { answerBrokeOff } from './answer-broke-off.ts';
