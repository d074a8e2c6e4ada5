import type { Exchange } from '../routes/exchange.ts';
import type { PlatformCode } from './platform-faults.ts';
import { platformBody, type PlatformBody } from './platform-body.ts';
import { fitsMediaLimits } from './platform-media.ts';
import { alwaysThinks, platformModelIds, takesEffort, takesToolStream, takesVision } from './platform-models.ts';

/** Why the official API refuses a call; `message` names the field as far as the real thing does. */
export interface PlatformRefusal {
  /** As it appears in `ReceivedRequest.faults`. */
  readonly name: string;
  readonly code: PlatformCode;
  readonly message?: string;
}

const illegal = (name: string, message: string): PlatformRefusal => ({ name, code: '1214', message });

/** The refusal of a missing or unknown key; undefined for a good one. */
export function refuseKey({ bearer, settings }: Exchange): PlatformRefusal | undefined {
  if (bearer === undefined) return { name: 'key', code: '1001' };
  if (settings.platformKeys !== null && !settings.platformKeys.includes(bearer)) return { name: 'key', code: '1002' };
  return undefined;
}

/** Every check of a completion that refuses, in their order; the first one is the answer (protocol 10.2, 10.4). */
export function checkCompletion(exchange: Exchange): { body?: PlatformBody; refusals: PlatformRefusal[] } {
  const key = refuseKey(exchange);
  if (!exchange.settings.checkPlatformBody) return { refusals: key ? [key] : [] };
  const parsed = platformBody.safeParse(exchange.record.body);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    const path = issue?.path.join('.') ?? '';
    const isMissing = issue?.code === 'invalid_type' && issue.input === undefined;
    const refusal: PlatformRefusal = { name: 'body', code: isMissing ? '1213' : '1214', message: `${path}: illegal` };
    return { refusals: [...(key ? [key] : []), refusal] };
  }
  const body = parsed.data;
  const found = [key, ...bodyChecks.map((check) => check(body, exchange))];
  return { body, refusals: found.filter((refusal) => refusal !== undefined) };
}

type BodyCheck = (body: PlatformBody, exchange: Exchange) => PlatformRefusal | undefined;

const bodyChecks: readonly BodyCheck[] = [
  ({ model }, { settings }) =>
    (settings.platformModels ?? platformModelIds).includes(model) ? undefined : { name: 'model', code: '1211' },
  ({ messages }) =>
    messages.every(({ role }) => role === 'system' || role === 'assistant')
      ? illegal('messages', 'messages illegal')
      : undefined,
  ({ model, messages }) => {
    const isVision = takesVision(model);
    const fits = messages.every(({ role, content }) => (isVision ? role !== 'tool' : typeof content === 'string'));
    return fits ? undefined : illegal('messages', 'messages[].content illegal');
  },
  ({ messages }) => {
    const parts = messages.flatMap(({ content }) => (typeof content === 'string' ? [] : content));
    const hasFile = parts.some(({ type }) => type === 'file');
    const hasMedia = parts.some(({ type }) => type === 'image_url' || type === 'video_url');
    const urls = parts.flatMap((part) =>
      part.type === 'image_url' ? [part.image_url.url] : part.type === 'video_url' ? [part.video_url.url] : [],
    );
    const fits =
      !(hasFile && hasMedia) && urls.every((url) => /^(?:https?:|data:[\w.+-]+\/[\w.+-]+;base64,)/.test(url));
    return fits ? undefined : illegal('files', 'Image input format/parsing error');
  },
  (body) => (fitsMediaLimits(body) ? undefined : illegal('files', 'The number or size of the input exceeds the limit')),
  ({ model, thinking }) =>
    thinking?.type === 'disabled' && alwaysThinks(model) ? illegal('thinking', 'thinking.type illegal') : undefined,
  ({ model, reasoning_effort: effort }) =>
    effort === undefined || takesEffort(model, effort) ? undefined : illegal('effort', 'reasoning_effort illegal'),
  ({ model, tools, tool_stream: stream, response_format: format }) => {
    const searches = tools?.some(({ type }) => type === 'web_search') === true;
    if (takesVision(model) && (searches || format !== undefined)) return illegal('tools', 'tools illegal');
    return stream !== undefined && !takesToolStream(model) ? illegal('tools', 'tool_stream illegal') : undefined;
  },
  ({ request_id: id }, { world }) =>
    id !== undefined && world.seenRequestIds.has(id) ? { name: 'request-id', code: '1231' } : undefined,
  (_body, { settings, bearer, world }) =>
    settings.platformKeyConcurrency !== null && world.streams.running(bearer ?? '') >= settings.platformKeyConcurrency
      ? { name: 'concurrency', code: '1302' }
      : undefined,
];
