import { createHash } from 'node:crypto';
import { setTimeout as wait } from 'node:timers/promises';
import { z } from 'zod';
import { isHttpFault } from '../http-faults.ts';
import { sendAnswer, sendFault, sendJson, type Exchange } from '../routes/exchange.ts';
import { playScenario } from '../routes/play-scenario.ts';
import {
  findScenarioMarker,
  parseScenarioCall,
  withoutMarkers,
  type ScenarioCall,
} from '../scenarios/scenario-call.ts';
import type { ScenarioContext } from '../scenarios/scenario.ts';
import { checkCompletion, refuseKey, type PlatformRefusal } from './platform-checks.ts';
import { codeOfFault, platformAnswer } from './platform-faults.ts';
import { listedModelIds } from './platform-models.ts';
import { platformScenarios } from './platform-scenarios.ts';

/** The fault of this key, else the configured one, counted down; undefined when there is none or it is used up. */
function takeFault({ world, bearer }: Exchange): string | undefined {
  const { platformFault, platformFailTimes, platformKeyFaults } = world.settings();
  const ofKey = platformKeyFaults[bearer ?? ''];
  if (ofKey !== undefined) return ofKey;
  if (platformFault === null || platformFailTimes === 0) return undefined;
  if (platformFailTimes !== null) world.configure({ platformFailTimes: platformFailTimes - 1 });
  return platformFault;
}

/** True when the fault was a whole answer of its own. */
function sendPlatformFault(exchange: Exchange, fault: string): boolean {
  const code = codeOfFault(fault);
  if (code !== undefined) {
    exchange.record.scenario = `fault-${fault}`;
    sendAnswer(exchange, platformAnswer(code));
    return true;
  }
  if (!isHttpFault(fault)) return false;
  sendFault(exchange, fault);
  return true;
}

function refuse(exchange: Exchange, { code, message }: PlatformRefusal): void {
  sendAnswer(exchange, platformAnswer(code, message));
}

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
async function answerCompletion(exchange: Exchange): Promise<void> {
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

/** `GET /models` (protocol 10.3). */
function answerModels(exchange: Exchange): void {
  const { platformModelsFault, platformModels } = exchange.settings;
  const refusal = refuseKey(exchange);
  if (platformModelsFault !== null && sendPlatformFault(exchange, platformModelsFault)) return;
  if (refusal) refuse(exchange, refusal);
  else {
    const ids = platformModels ?? listedModelIds;
    sendJson(exchange, 200, {
      object: 'list',
      data: ids.map((id) => ({ id, object: 'model', created: 1_760_000_000 })),
    });
  }
}

const embeddingsBody = z.strictObject({
  model: z.string(),
  input: z.union([z.string().min(1), z.array(z.string().min(1)).min(1).max(64)]),
  dimensions: z.union([256, 512, 1024, 2048].map((size) => z.literal(size))).optional(),
  request_id: z.string().min(6).max(64).optional(),
  user_id: z.string().min(6).max(128).optional(),
});

/** Numbers that depend on the text alone. */
function vectorOf(text: string, size: number): number[] {
  const hash = createHash('sha256').update(text).digest();
  return Array.from({ length: size }, (_, index) => ((hash[index % hash.length] ?? 0) - 128 + (index % 7)) / 256);
}

/** `POST /embeddings`: vectors of plain numbers, whatever is asked for. */
function answerEmbeddings(exchange: Exchange): void {
  const refusal = refuseKey(exchange);
  const fault = takeFault(exchange);
  if (fault !== undefined && sendPlatformFault(exchange, fault)) return;
  const parsed = embeddingsBody.safeParse(exchange.record.body);
  if (refusal) refuse(exchange, refusal);
  else if (!parsed.success) refuse(exchange, { name: 'body', code: '1214', message: z.prettifyError(parsed.error) });
  else if (!/^embedding-[23]$/.test(parsed.data.model)) refuse(exchange, { name: 'model', code: '1211' });
  else {
    const { model, input, dimensions = 2048 } = parsed.data;
    const texts = typeof input === 'string' ? [input] : input;
    const tokens = texts.reduce((sum, text) => sum + Math.ceil(text.length / 4), 0);
    sendJson(exchange, 200, {
      model,
      object: 'list',
      data: texts.map((text, index) => ({ object: 'embedding', index, embedding: vectorOf(text, dimensions) })),
      usage: { prompt_tokens: tokens, completion_tokens: 0, total_tokens: tokens },
    });
  }
}

const imagesBody = z.strictObject({
  model: z.string(),
  prompt: z.string().min(1),
  size: z
    .string()
    .regex(/^\d{3,4}x\d{3,4}$/)
    .optional(),
  quality: z.enum(['hd', 'standard']).optional(),
  user_id: z.string().min(6).max(128).optional(),
});

/** The smallest PNG there is: one grey point. */
const png = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNgAAAAAgABSK+kcQAAAABJRU5ErkJggg==',
  'base64',
);

/** `POST /images/generations`: one picture at an address of the simulator. */
function answerImages(exchange: Exchange): void {
  const refusal = refuseKey(exchange);
  const fault = takeFault(exchange);
  if (fault !== undefined && sendPlatformFault(exchange, fault)) return;
  const parsed = imagesBody.safeParse(exchange.record.body);
  if (refusal) refuse(exchange, refusal);
  else if (!parsed.success) refuse(exchange, { name: 'body', code: '1214', message: z.prettifyError(parsed.error) });
  else if (!/^(?:glm-image$|cogview-)/.test(parsed.data.model)) refuse(exchange, { name: 'model', code: '1211' });
  else {
    const url = `http://${exchange.record.headers['host'] ?? ''}/platform-files/${exchange.record.id}.png`;
    sendJson(exchange, 200, {
      created: Math.floor(exchange.world.nowMs() / 1000),
      data: [{ url }],
      content_filter: [],
    });
  }
}

function sendPicture({ response, record }: Exchange): void {
  record.status = 200;
  response.writeHead(200, { 'content-type': 'image/png', 'content-length': String(png.length) });
  response.end(png);
}

/** The routes of the official API, on its general base and on that of the Coding Plan (protocol 10.1). */
export const platformRoutes = [
  { pattern: /^\/api\/(?:coding\/)?paas\/v4\/chat\/completions$/, handlers: { POST: answerCompletion } },
  { pattern: /^\/api\/(?:coding\/)?paas\/v4\/models$/, handlers: { GET: answerModels } },
  { pattern: /^\/api\/paas\/v4\/embeddings$/, handlers: { POST: answerEmbeddings } },
  { pattern: /^\/api\/paas\/v4\/images\/generations$/, handlers: { POST: answerImages } },
  { pattern: /^\/platform-files\/\d+\.png$/, handlers: { GET: sendPicture } },
];
