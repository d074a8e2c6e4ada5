import {
  createJsonAnswerStage,
  createToolBridge,
  INVALID_STRUCTURED_OUTPUT,
  isUnmetDemand,
  type EventStage,
} from '@zai2api/dialects';
import { addUsage, TurnError, type TurnEvent, type TurnRequest, type Usage } from '@zai2api/turn';
import type { DriverTurn, UpstreamDriver } from '../upstream-driver.ts';
import type { SchemaChecks } from './schema-check.ts';

/** What answers are held to, and what their calls are named with. */
export interface ProveAnswerOptions {
  readonly schemas: Pick<SchemaChecks, 'forAnswer'>;
  /** Ids of tool calls. */
  readonly newId: () => string;
}

/**
 * The driver for an upstream that knows tools and JSON only as words in a prompt: its answers are held to what was asked for. A demand that
 * was not met is asked for once more, on the same credential, before anything but thinking was sent. Then a missing or broken tool call is
 * an error, and JSON that is none a refusal: never an answer that pretends.
 */
export function proveAnswers(driver: UpstreamDriver, options: ProveAnswerOptions): UpstreamDriver {
  return {
    ...driver,
    async *run(turn, credential, signal) {
      const { request } = turn;
      if (request.tools.length === 0 && request.responseFormat.type === 'text') {
        yield* driver.run(turn, credential, signal);
        return;
      }
      let lastBlock = -1;
      let spent: Usage | undefined;
      let unmet: TurnError | undefined;

      async function* attempt(asked: DriverTurn, isLast: boolean): AsyncGenerator<TurnEvent[]> {
        const stage = createAnswerStage(request, options);
        const isFurther = lastBlock >= 0 || unmet !== undefined;
        const firstBlock = lastBlock + 1;
        unmet = undefined;
        for await (const batch of driver.run(asked, credential, signal)) {
          const shown: TurnEvent[] = [];
          for (const event of batch) {
            const end =
              event.type === 'turn-end'
                ? { ...event, usage: (spent = spent ? addUsage(spent, event.usage) : event.usage) }
                : event;
            for (const staged of stage(end)) {
              if (staged.type === 'turn-error' && isUnmetDemand(staged.error)) {
                unmet = staged.error;
                if (!isLast) continue;
                shown.push(...giveUp(staged.error, spent));
              } else if (staged.type !== 'turn-start' || !isFurther) {
                shown.push(renumber(staged, firstBlock));
              }
            }
          }
          for (const event of shown) if ('block' in event) lastBlock = Math.max(lastBlock, event.block);
          if (shown.length > 0) yield shown;
        }
      }

      yield* attempt(turn, false);
      if (unmet === undefined) return;
      if (signal.aborted) throw TurnError.from(signal.reason);
      yield* attempt(askAgain(turn, unmet), true);
    },
  };
}

function createAnswerStage(request: TurnRequest, { schemas, newId }: ProveAnswerOptions): EventStage {
  const checkSchema = schemas.forAnswer();
  const bridge = createToolBridge({
    tools: request.tools,
    messages: request.messages,
    toolChoice: request.toolChoice,
    parallelToolCalls: request.parallelToolCalls,
    newId,
    checkArguments: (tool, value) => [...checkSchema(tool.parameters, value)],
  });
  const json = createJsonAnswerStage(request.responseFormat, checkSchema);
  return (event) => bridge(event).flatMap(json);
}

/** The same conversation with one more word from us. */
function askAgain(turn: DriverTurn, { message }: TurnError): DriverTurn {
  const text = `Your previous reply was not accepted: ${message} Reply again to the message before this one, and keep to the required form.`;
  const messages = [...turn.request.messages, { role: 'user', text, attachments: [] } as const];
  return { ...turn, request: { ...turn.request, messages } };
}

/** The end of a turn whose demand was not met twice. */
function giveUp(error: TurnError, usage: Usage | undefined): TurnEvent[] {
  if (error.details.reason !== INVALID_STRUCTURED_OUTPUT || !usage) return [{ type: 'turn-error', error }];
  return [
    { type: 'refusal', text: 'The model did not answer with the JSON that was asked for.' },
    { type: 'turn-end', reason: 'stop', usage },
  ];
}

const renumber = (event: TurnEvent, firstBlock: number): TurnEvent =>
  'block' in event ? { ...event, block: event.block + firstBlock } : event;
