import { setTimeout as wait } from 'node:timers/promises';
import { isHttpFault } from '../http-faults.ts';
import { sendJson, type Exchange } from '../routes/exchange.ts';
import { playScenario } from '../routes/play-scenario.ts';
import {
  findScenarioMarker,
  parseScenarioCall,
  withoutMarkers,
  type ScenarioCall,
} from '../scenarios/scenario-call.ts';
import type { ScenarioContext } from '../scenarios/scenario.ts';
import { checkCompletion } from './platform-checks.ts';
import { codeOfFault } from './platform-faults.ts';
import { platformScenarios } from './platform-scenarios.ts';
import { refuse, sendPlatformFault, takeFault } from './send-platform-fault.ts';

interface LooseMessage {
  readonly role?: unknown;
  readonly content?: unknown;
}

function textOf({ content }: LooseMessage): string {
  if (typeof content === 'string') return content;
  if (!Array.isArray(content)) return '';
  return content.map((part: { text?: unknown } | null) => (typeof part?.text === 'string' ? part.text : '')).join('\n');
}

function createContext(exchange: Exchange, call: ScenarioCall): ScenarioContext {
  const body = exchange.record.body as Readonly<Record<string, unknown>>;
  const messages = body['messages'] as readonly LooseMessage[];
  const thinking = body['thinking'] as { type?: unknown } | undefined;
  return {
    prompt: withoutMarkers(textOf(messages.findLast(({ role }) => role === 'user') ?? {})),
    model: String(body['model']),
    // On unless it is switched off (protocol 10.2).
    thinking: thinking?.type !== 'disabled',
    language: 'en',
    parameters: call.parameters,
    settings: exchange.settings,
    body,
    unknownChat: false,
    nowSeconds: Math.floor(exchange.world.nowMs() / 1000),
  };
}

/** The last marker in any message, as the newest one stands last in a flattened history. */
function findMarker(body: unknown): ScenarioCall | undefined {
  const messages = (body as { messages?: unknown } | undefined)?.messages;
  return Array.isArray(messages)
    ? findScenarioMarker(messages.map((each) => textOf(each as LooseMessage)).join('\n'))
    : undefined;
}

/** `POST /chat/completions`: a configured fault, else the checks, else the scenario that was asked for. */
export async function answerCompletion(exchange: Exchange): Promise<void> {
  const { world, record, settings, bearer = '', signal, response } = exchange;
  record.tokenUserId = bearer;
  const { refusals, body } = checkCompletion(exchange);
  record.faults = refusals.map(({ name }) => name);
  if (body?.request_id !== undefined) world.seenRequestIds.add(body.request_id);
  const place = world.streams.arrive(bearer);
  signal.addEventListener('abort', place.leave, { once: true });
  response.once('prefinish', place.leave);
  const fault = takeFault(exchange);
  if (fault === undefined && refusals[0] === undefined) place.admit();
  if (settings.delayMs > 0) await wait(settings.delayMs, undefined, { signal });
  if (fault !== undefined && sendPlatformFault(exchange, fault)) return;
  if (fault === undefined && refusals[0]) {
    refuse(exchange, refusals[0]);
    return;
  }
  const call =
    fault === undefined ? (findMarker(record.body) ?? parseScenarioCall(settings.scenario)) : parseScenarioCall(fault);
  const asked = codeOfFault(call.name);
  if (asked !== undefined || isHttpFault(call.name.replace(/^http-/, ''))) {
    sendPlatformFault(exchange, asked ?? call.name.replace(/^http-/, ''));
    return;
  }
  const scenario = Object.hasOwn(platformScenarios, call.name) ? platformScenarios[call.name] : undefined;
  if (!scenario) {
    sendJson(exchange, 400, { error: { code: '1214', message: `Unknown scenario ${call.name}` } });
    return;
  }
  record.scenario = fault === undefined ? call.name : `fault-${call.name}`;
  await playScenario(exchange, scenario, createContext(exchange, call));
}
