import type { EncodedRequest } from '../encoded-request.ts';
import type { WireMessage } from './encode-conversation.ts';
import { encodeCommonHeaders } from './encode-common-headers.ts';
import { encodeContent, encodeFiles, encodeServers, isVisionRequest, type CompletionFile } from './encode-files.ts';
import { signRequest, type SigningFunctions } from './sign-request.ts';
import { timeZoneFormats } from './time-zone-formats.ts';
import type { WebProfile } from './web-profile.ts';

/** Everything that one completion says about itself. URL, headers, signature and body are built from this alone, so they cannot disagree. */
export interface CompletionInput {
  readonly profile: WebProfile;
  readonly frontendVersion: string;
  readonly token: string;
  readonly userId: string;
  readonly userName: string;
  /** The text of the last user message; it is signed and sent. */
  readonly prompt: string;
  /** What goes up before it: nothing when the conversation is flattened into the prompt. */
  readonly earlier?: readonly WireMessage[] | undefined;
  /** What was uploaded for this turn, by this identity, in the order of the conversation. */
  readonly files?: readonly CompletionFile[] | undefined;
  readonly upstreamModel: string;
  readonly features: {
    readonly thinking: boolean;
    readonly search: boolean;
    readonly reasoningEffort?: 'high' | 'max' | undefined;
  };
  readonly chatId: string;
  readonly userMessageId: string;
  readonly assistantMessageId: string;
  readonly requestId: string;
  /** Milliseconds since the epoch, by the upstream's clock. */
  readonly timestampMs: number;
}

/** The screen that the query describes; any plausible desktop will do (protocol 4.3). */
const screen = { width: 1920, height: 1080, viewportHeight: 951 };

/** `POST /api/v2/chat/completions` with its query, headers, signature and body (protocol 4.3 to 4.6). */
export function encodeCompletion(input: CompletionInput, signing: SigningFunctions): EncodedRequest {
  const { profile } = input;
  const path = `/c/${input.chatId}`;
  return {
    method: 'POST',
    url: `${profile.base}/api/v2/chat/completions?${encodeQuery(input, path).toString()}`,
    headers: {
      ...encodeCommonHeaders(profile, input.token),
      Accept: '*/*',
      'Content-Type': 'application/json',
      Referer: `${profile.base}${path}`,
      'X-FE-Version': input.frontendVersion,
      'X-Region': profile.region,
      'X-Device-Id': profile.deviceId,
      'X-Signature': signRequest({ ...input, secret: profile.signingSecret }, signing),
    },
    body: JSON.stringify(encodeBody(input)),
  };
}

function encodeQuery(input: CompletionInput, path: string): URLSearchParams {
  const { profile } = input;
  const { host, hostname, protocol } = new URL(profile.base);
  const timestamp = String(input.timestampMs);
  const now = new Date(input.timestampMs);
  return new URLSearchParams({
    timestamp,
    requestId: input.requestId,
    user_id: input.userId,
    version: '0.0.1',
    platform: 'web',
    token: input.token,
    user_agent: profile.userAgent,
    language: profile.language,
    languages: `${profile.language},${profile.language.split('-')[0] ?? profile.language}`,
    timezone: profile.timeZone,
    cookie_enabled: 'true',
    screen_width: String(screen.width),
    screen_height: String(screen.height),
    screen_resolution: `${screen.width}x${screen.height}`,
    viewport_height: String(screen.viewportHeight),
    viewport_width: String(screen.width),
    viewport_size: `${screen.width}x${screen.viewportHeight}`,
    color_depth: '24',
    pixel_ratio: '1',
    current_url: `${profile.base}${path}`,
    pathname: path,
    search: '',
    hash: '',
    host,
    hostname,
    protocol,
    referrer: '',
    title: 'Z.ai',
    timezone_offset: String(timeZoneOffsetMinutes(now, profile.timeZone)),
    local_time: now.toISOString(),
    utc_time: now.toUTCString(),
    is_mobile: 'false',
    is_touch: 'false',
    max_touch_points: '0',
    browser_name: 'Chrome',
    os_name: 'Windows',
    signature_timestamp: timestamp,
  });
}

function encodeBody(input: CompletionInput): unknown {
  const { features, files = [] } = input;
  const servers = encodeServers({ search: features.search, files });
  return {
    // The upstream streams whatever is said here (protocol 4.1).
    stream: true,
    model: input.upstreamModel,
    messages: [...(input.earlier ?? []), { role: 'user', content: encodeContent(input.prompt, files) }],
    signature_prompt: input.prompt,
    // Their effect is unproven and some models misbehave with them (protocol 12.8).
    params: {},
    extra: {},
    features: {
      image_generation: false,
      web_search: features.search,
      // Vision models are never to decide about a search by themselves (protocol 7).
      auto_web_search: features.search && !isVisionRequest(files),
      preview_mode: false,
      flags: [],
      vlm_tools_enable: false,
      vlm_web_search_enable: false,
      vlm_website_mode: false,
      enable_thinking: features.thinking,
      ...(features.reasoningEffort === undefined ? {} : { reasoning_effort: features.reasoningEffort }),
    },
    ...(servers.length > 0 ? { mcp_servers: servers } : {}),
    ...(files.length > 0 ? { files: encodeFiles(files, input.userMessageId) } : {}),
    variables: encodeVariables(input),
    chat_id: input.chatId,
    id: input.assistantMessageId,
    current_user_message_id: input.userMessageId,
    current_user_message_parent_id: null,
    background_tasks: { title_generation: false, tags_generation: false },
  };
}

function encodeVariables({ profile, timestampMs, userName }: CompletionInput): Record<string, string> {
  const parts = new Map(
    timeZoneFormats(profile.timeZone)
      .clock.formatToParts(new Date(timestampMs))
      .map(({ type, value }) => [type, value]),
  );
  const part = (name: Intl.DateTimeFormatPartTypes): string => parts.get(name) ?? '';
  const date = `${part('year')}-${part('month')}-${part('day')}`;
  const time = `${part('hour')}:${part('minute')}:${part('second')}`;
  return {
    '{{USER_NAME}}': userName,
    '{{USER_LOCATION}}': 'Unknown',
    '{{CURRENT_DATETIME}}': `${date} ${time}`,
    '{{CURRENT_DATE}}': date,
    '{{CURRENT_TIME}}': time,
    '{{CURRENT_WEEKDAY}}': part('weekday'),
    '{{CURRENT_TIMEZONE}}': profile.timeZone,
    '{{USER_LANGUAGE}}': profile.language,
  };
}

/** Minutes with the sign of JavaScript's `getTimezoneOffset`: negative east of Greenwich. */
function timeZoneOffsetMinutes(at: Date, timeZone: string): number {
  const name = timeZoneFormats(timeZone)
    .offset.formatToParts(at)
    .find(({ type }) => type === 'timeZoneName')?.value;
  const [, sign, hours, minutes] = /GMT([+-])(\d{2}):(\d{2})/.exec(name ?? '') ?? [];
  if (sign === undefined) return 0;
  const total = Number(hours) * 60 + Number(minutes);
  return sign === '+' ? -total : total;
}
