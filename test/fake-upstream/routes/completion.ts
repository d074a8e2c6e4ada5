import { setTimeout as wait } from 'node:timers/promises';
import { completionBody, type CompletionBody } from '../checks/completion-body.ts';
import { isUnknownChat, runChecks } from '../checks/completion-checks.ts';
import { isHttpFault } from '../http-faults.ts';
import { errorAnswer } from '../scenarios/error-answers.ts';
import { findScenarioMarker, parseScenarioCall, withoutMarkers } from '../scenarios/scenario-call.ts';
import { scenarios } from '../scenarios/scenarios.ts';
import { streamErrors } from '../scenarios/stream-errors.ts';
import { sendAnswer, sendFault, sendJson } from './exchange.ts';
import { playScenario } from './play-scenario.ts';
import type { CompletionFacts, Refusal } from '../checks/completion-checks.ts';
import type { Scenario, ScenarioContext } from '../scenarios/scenario.ts';
import type { ScenarioCall } from '../scenarios/scenario-call.ts';
import type { Exchange } from './exchange.ts';

/** The configured fault, counted down; undefined when there is none or it is used up. */
function takeFault({ world }: Exchange): string | undefined {
  const { completionFault, failTimes } = world.settings();
  if (completionFault === null || failTimes === 0) return undefined;
  if (failTimes !== null) world.configure({ failTimes: failTimes - 1 });
  return completionFault;
}

/** Text of the last user message; of content parts only the text ones count (protocol 4.5). */
function lastUserText(body: CompletionBody | undefined): string {
  const content = body?.messages.findLast((message) => message.role === 'user')?.content;
  if (typeof content === 'string') return content;
  if (!Array.isArray(content)) return '';
  return content.map((part: { text?: unknown } | null) => (typeof part?.text === 'string' ? part.text : '')).join('\n');
}

function createContext(facts: CompletionFacts, call: ScenarioCall, prompt: string): ScenarioContext {
  const { exchange, body } = facts;
  const { settings } = exchange;
  const seen = settings.multipleMessages === 'ignored' ? body?.messages.slice(-1) : body?.messages;
  return {
    prompt: withoutMarkers(prompt),
    model: body?.model ?? '',
    thinking: body?.features?.enable_thinking === true,
    language: (exchange.record.headers['accept-language'] ?? '').startsWith('zh') ? 'zh' : 'en',
    parameters: call.parameters,
    settings,
    body: { ...body, messages: seen },
    unknownChat: isUnknownChat(facts),
    nowSeconds: Math.floor(exchange.world.nowMs() / 1000),
  };
}

function refusalScenario(refusal: { inStream: keyof typeof streamErrors }): Scenario {
  return { description: '', steps: (context) => errorAnswer(streamErrors[refusal.inStream](context)) };
}

async function answerAsCalled(
  facts: CompletionFacts,
  refusal: Refusal | undefined,
  fault: string | undefined,
): Promise<void> {
  const { exchange, body } = facts;
  const { record, settings } = exchange;
  if (refusal && 'http' in refusal) {
    sendAnswer(exchange, refusal.http);
    return;
  }
  const prompt = lastUserText(body);
  const call =
    fault !== undefined
      ? parseScenarioCall(fault)
      : (findScenarioMarker(prompt) ?? parseScenarioCall(settings.scenario));
  const scenario = refusal
    ? refusalScenario(refusal)
    : Object.hasOwn(scenarios, call.name)
      ? scenarios[call.name]
      : undefined;
  if (!scenario) {
    sendJson(exchange, 400, { detail: `Unknown scenario ${call.name}`, scenarios: Object.keys(scenarios) });
    return;
  }
  if (!refusal) record.scenario = fault === undefined ? call.name : `fault-${call.name}`;
  await playScenario(exchange, scenario, createContext(facts, call, prompt));
}

/** `POST /api/v2/chat/completions`: a configured fault, else the checks, else the scenario that was asked for. */
export async function answerCompletion(exchange: Exchange): Promise<void> {
  const { world, record, settings, identity, signal, response } = exchange;
  const parsed = completionBody.safeParse(record.body);
  const facts: CompletionFacts = { exchange, body: parsed.success ? parsed.data : undefined };
  const refusals = runChecks(facts);
  record.faults = [...refusals.map(({ name }) => name), ...(isUnknownChat(facts) ? ['unknown-chat'] : [])];
  const fault = takeFault(exchange);
  if (fault !== undefined && isHttpFault(fault)) {
    sendFault(exchange, fault);
    return;
  }

  const refusal = fault === undefined ? refusals[0]?.refusal : undefined;
  const place = world.streams.arrive(identity?.userId ?? '');
  const onPlaceFree = world.onPlaceTaken(record);
  const leave = (): void => {
    place.leave();
    onPlaceFree();
  };
  signal.addEventListener('abort', leave, { once: true });
  // The place is free in the tick in which the last byte is handed over: a client that has seen the end may come again at once.
  response.once('prefinish', leave);
  if (!refusal) place.admit();
  if (settings.delayMs > 0) await wait(settings.delayMs, undefined, { signal });
  await answerAsCalled(facts, refusal, fault);
}
