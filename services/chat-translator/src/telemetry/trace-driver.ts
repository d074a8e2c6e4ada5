import { context, SpanKind, trace, type Attributes, type Span } from '@opentelemetry/api';
import type { Credential } from '@zai2api/credentials';
import { failSpan, isTracing } from '@zai2api/runtime';
import { isContentEvent, TurnError, type TurnEvent } from '@zai2api/turn';
import type { DriverTurn, UpstreamDriver } from '../upstream-driver.ts';
import { apiTypeOf } from './api-type.ts';
import { CHAT, genAi, PROVIDER } from './gen-ai-names.ts';

/**
 * The driver with a GenAI client span round every run, so one for each try at the upstream; its HTTP calls are below it. Nothing that the
 * client or the model wrote gets into a span. Without tracing it is the driver itself.
 */
export function traceDriver(driver: UpstreamDriver, base: string): UpstreamDriver {
  if (!isTracing()) return driver;
  const tracer = trace.getTracer('@zai2api/chat-translator');
  const { hostname, port, protocol } = new URL(base);
  const server: Attributes = {
    [genAi.serverAddress]: hostname,
    [genAi.serverPort]: Number(port) || (protocol === 'https:' ? 443 : 80),
  };
  return {
    ...driver,
    async *run(turn, credential, signal) {
      const span = tracer.startSpan(`${CHAT} ${turn.model.id}`, {
        kind: SpanKind.CLIENT,
        attributes: { ...server, ...requestAttributes(turn, credential) },
      });
      const active = trace.setSpan(context.active(), span);
      const observe = createBatchObserver(span);
      const iterator = driver.run(turn, credential, signal)[Symbol.asyncIterator]();
      let isOver = false;
      try {
        for (;;) {
          // A generator runs in the context of whoever asks for its next value.
          const next = await context.with(active, () => iterator.next());
          if (next.done === true) break;
          observe(next.value);
          yield next.value;
        }
        isOver = true;
      } catch (reason) {
        isOver = true;
        failSpan(span, signal.aborted ? signal.reason : reason);
        throw reason;
      } finally {
        // Left in the middle: by a client that is gone, or because the answer had reached its limit.
        if (!isOver) {
          if (signal.aborted) failSpan(span, signal.reason);
          await context.with(active, () => iterator.return?.());
        }
        span.end();
      }
    },
  };
}

function requestAttributes({ request, model }: DriverTurn, { kind }: Credential): Attributes {
  const { sampling, reasoning, responseFormat } = request;
  return {
    [genAi.operationName]: CHAT,
    [genAi.providerName]: PROVIDER,
    [genAi.requestModel]: model.id,
    [genAi.requestStream]: true,
    [genAi.requestMaxTokens]: sampling.maxOutputTokens,
    [genAi.requestTemperature]: sampling.temperature,
    [genAi.requestTopP]: sampling.topP,
    [genAi.requestReasoningLevel]: reasoning.effort,
    [genAi.outputType]: responseFormat.type === 'text' ? 'text' : 'json',
    [genAi.openAiApiType]: apiTypeOf(context.active()),
    [genAi.responseModel]: model.upstreamId,
    [genAi.credentialKind]: kind,
  };
}

/** Looks at the first content and at the last event of each batch, and at nothing in between. */
function createBatchObserver(span: Span): (batch: readonly TurnEvent[]) => void {
  const startedAtMs = performance.now();
  let hasContent = false;
  return (batch) => {
    const [first] = batch;
    if (first?.type === 'turn-start') span.setAttribute(genAi.responseId, first.id);
    if (!hasContent && batch.some(isContentEvent)) {
      hasContent = true;
      span.setAttribute(genAi.responseTimeToFirstChunk, (performance.now() - startedAtMs) / 1000);
    }
    const last = batch.at(-1);
    if (last?.type === 'turn-error') failSpan(span, TurnError.from(last.error));
    if (last?.type !== 'turn-end') return;
    const { inputTokens, outputTokens, cachedInputTokens, reasoningTokens, exactness } = last.usage;
    span.setAttributes({
      [genAi.responseFinishReasons]: [last.reason.replace('-', '_')],
      [genAi.usageInputTokens]: inputTokens,
      [genAi.usageOutputTokens]: outputTokens,
      [genAi.usageCacheReadTokens]: cachedInputTokens,
      [genAi.usageReasoningTokens]: reasoningTokens,
      [genAi.usageExactness]: exactness,
    });
  };
}
