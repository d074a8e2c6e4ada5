import { createHmac } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { encodeCompletion, type CompletionInput } from './encode-completion.ts';
import { signRequest, type SigningFunctions } from './sign-request.ts';

const signing: SigningFunctions = {
  hmacSha256Hex: (key, message) => createHmac('sha256', key).update(message).digest('hex'),
  base64: (text) => Buffer.from(text).toString('base64'),
};
const base: CompletionInput = {
  profile: {
    base: 'https://chat.z.ai',
    signingSecret: 'TEST-KEY-DO-NOT-USE',
    userAgent: 'Mozilla/5.0 (Windows NT 10.0) Chrome/140',
    language: 'en-US',
    timeZone: 'Europe/Berlin',
    region: 'overseas',
    deviceId: '11111111-0000-4000-8000-000000000000',
  },
  frontendVersion: 'prod-fe-1.1.98',
  token: 'aaa.bbb+/=.ccc',
  userId: 'user-7',
  userName: 'Guest',
  prompt: '你好, Z.ai 🚀 & more?\n  two spaces ',
  upstreamModel: 'GLM-4-6-API-V1',
  features: { thinking: true, search: false },
  chatId: 'chat-1',
  userMessageId: 'message-u',
  assistantMessageId: 'message-a',
  requestId: 'request-1',
  // A Sunday in winter time, 23:30 in Berlin.
  timestampMs: Date.UTC(2026, 0, 4, 22, 30, 5, 7),
};

interface Sent {
  readonly url: URL;
  readonly query: Record<string, string>;
  readonly headers: Record<string, string>;
  readonly body: Record<string, unknown>;
}

function encode(changes: Partial<CompletionInput> = {}): Sent {
  const { method, url, headers, body } = encodeCompletion({ ...base, ...changes }, signing);
  expect(method).toBe('POST');
  const parsed = new URL(url);
  return {
    url: parsed,
    query: Object.fromEntries(parsed.searchParams),
    headers,
    body: JSON.parse(body ?? '') as Record<string, unknown>,
  };
}

/** Every name of protocol 4.3. */
const queryNames =
  'timestamp requestId user_id version platform token user_agent language languages timezone cookie_enabled screen_width ' +
  'screen_height screen_resolution viewport_height viewport_width viewport_size color_depth pixel_ratio current_url pathname ' +
  'search hash host hostname protocol referrer title timezone_offset local_time utc_time is_mobile is_touch max_touch_points ' +
  'browser_name os_name signature_timestamp';

describe('the query of a completion', () => {
  it('has every name, each once, and no other', () => {
    expect([...encode().url.searchParams.keys()]).toEqual(queryNames.split(' '));
  });

  it('says what the profile, the chat and the clock say', () => {
    const { url, query } = encode();
    expect(url.origin + url.pathname).toBe('https://chat.z.ai/api/v2/chat/completions');
    expect(query).toMatchObject({
      version: '0.0.1',
      platform: 'web',
      token: base.token,
      user_agent: base.profile.userAgent,
      language: 'en-US',
      languages: 'en-US,en',
      timezone: 'Europe/Berlin',
      current_url: 'https://chat.z.ai/c/chat-1',
      pathname: '/c/chat-1',
      search: '',
      hash: '',
      host: 'chat.z.ai',
      hostname: 'chat.z.ai',
      protocol: 'https:',
      local_time: '2026-01-04T22:30:05.007Z',
      utc_time: 'Sun, 04 Jan 2026 22:30:05 GMT',
    });
    expect(query['screen_resolution']).toBe(`${query['screen_width'] ?? ''}x${query['screen_height'] ?? ''}`);
    expect(query['viewport_size']).toBe(`${query['viewport_width'] ?? ''}x${query['viewport_height'] ?? ''}`);
  });

  it.each([
    ['Europe/Berlin', Date.UTC(2026, 0, 4), '-60'],
    ['Europe/Berlin', Date.UTC(2026, 6, 4), '-120'],
    ['America/New_York', Date.UTC(2026, 0, 4), '300'],
    ['Asia/Kolkata', Date.UTC(2026, 0, 4), '-330'],
    ['America/St_Johns', Date.UTC(2026, 0, 4), '210'],
    ['UTC', Date.UTC(2026, 0, 4), '0'],
    ['Europe/London', Date.UTC(2026, 0, 4), '0'],
  ])('gives the offset of %s at %d the sign of JavaScript', (timeZone, timestampMs, offset) => {
    const { query } = encode({ timestampMs, profile: { ...base.profile, timeZone } });
    expect(query['timezone_offset']).toBe(offset);
  });

  it('names port and host apart, and a language without a region once more', () => {
    const profile = { ...base.profile, base: 'http://127.0.0.1:4010', language: 'de' };
    const { query } = encode({ profile });
    expect(query).toMatchObject({
      host: '127.0.0.1:4010',
      hostname: '127.0.0.1',
      protocol: 'http:',
      languages: 'de,de',
    });
  });
});

describe('the headers of a completion', () => {
  it('are those of the web client and nothing else', () => {
    const { headers } = encode();
    expect(headers).toEqual({
      'User-Agent': base.profile.userAgent,
      Accept: '*/*',
      'Accept-Language': 'en-US',
      'Content-Type': 'application/json',
      Origin: 'https://chat.z.ai',
      Referer: 'https://chat.z.ai/c/chat-1',
      Authorization: `Bearer ${base.token}`,
      'X-FE-Version': 'prod-fe-1.1.98',
      'X-Region': 'overseas',
      'X-Device-Id': base.profile.deviceId,
      'X-Signature': expect.stringMatching(/^[0-9a-f]{64}$/) as unknown,
    });
  });
});

describe('the signature of a completion', () => {
  it.each([
    ['a plain turn', {}],
    ['an empty user id', { userId: '' }],
    ['an empty prompt', { prompt: '' }],
  ] satisfies [string, Partial<CompletionInput>][])('covers what query and body say: %s', (_name, changes) => {
    const { query, headers, body } = encode(changes);
    const signed = signRequest(
      {
        secret: base.profile.signingSecret,
        requestId: query['requestId'] ?? '?',
        timestampMs: Number(query['timestamp']),
        userId: query['user_id'] ?? '?',
        prompt: String(body['signature_prompt']),
      },
      signing,
    );
    expect(headers['X-Signature']).toBe(signed);
    expect(query['signature_timestamp']).toBe(query['timestamp']);
    expect(headers['Authorization']).toBe(`Bearer ${query['token'] ?? ''}`);
    expect(headers['User-Agent']).toBe(query['user_agent']);
    expect(headers['Referer']).toBe(query['current_url']);
  });

  it('leaves the secret out of everything that is sent', () => {
    expect(JSON.stringify(encodeCompletion(base, signing))).not.toContain(base.profile.signingSecret);
  });
});

describe('the body of a completion', () => {
  it('has the shape of the web client', () => {
    expect(encode().body).toEqual({
      stream: true,
      model: 'GLM-4-6-API-V1',
      messages: [{ role: 'user', content: base.prompt }],
      signature_prompt: base.prompt,
      params: {},
      extra: {},
      features: {
        image_generation: false,
        web_search: false,
        auto_web_search: false,
        preview_mode: false,
        flags: [],
        vlm_tools_enable: false,
        vlm_web_search_enable: false,
        vlm_website_mode: false,
        enable_thinking: true,
      },
      variables: {
        '{{USER_NAME}}': 'Guest',
        '{{USER_LOCATION}}': 'Unknown',
        '{{CURRENT_DATETIME}}': '2026-01-04 23:30:05',
        '{{CURRENT_DATE}}': '2026-01-04',
        '{{CURRENT_TIME}}': '23:30:05',
        '{{CURRENT_WEEKDAY}}': 'Sunday',
        '{{CURRENT_TIMEZONE}}': 'Europe/Berlin',
        '{{USER_LANGUAGE}}': 'en-US',
      },
      chat_id: 'chat-1',
      id: 'message-a',
      current_user_message_id: 'message-u',
      current_user_message_parent_id: null,
      background_tasks: { title_generation: false, tags_generation: false },
    });
  });

  it('writes midnight as 00', () => {
    const variables = encode({ timestampMs: Date.UTC(2026, 0, 4, 23, 0, 0) }).body['variables'];
    expect(variables).toMatchObject({ '{{CURRENT_DATETIME}}': '2026-01-05 00:00:00', '{{CURRENT_WEEKDAY}}': 'Monday' });
  });

  it.each(['captcha_verify_param', 'tools', 'tool_choice', 'tool_servers', 'stream_options', 'session_id', 'files'])(
    'never says %s',
    (key) => {
      const features = { thinking: true, search: true, reasoningEffort: 'max' } as const;
      expect(encode({ features }).body).not.toHaveProperty(key);
    },
  );

  it('shows pictures, signs the text alone and leaves no search to a vision model', () => {
    const files = [{ kind: 'image', id: 'f-1', filename: 'cat.png', size: 9, itemId: 'i-1' }] as const;
    const features = { thinking: true, search: true };
    const { body, headers } = encode({ files, features });
    expect(body).toMatchObject({
      messages: [
        {
          role: 'user',
          content: [
            { type: 'text', text: base.prompt },
            { type: 'image_url', image_url: { url: 'f-1' } },
          ],
        },
      ],
      signature_prompt: base.prompt,
      files: [{ id: 'f-1', itemId: 'i-1', ref_user_msg_id: 'message-u' }],
      features: { web_search: true, auto_web_search: false },
      mcp_servers: ['deep-web-search', 'vlm-image-search', 'vlm-image-recognition', 'vlm-image-processing'],
    });
    expect(headers['X-Signature']).toBe(encode({ features }).headers['X-Signature']);
  });

  it('asks for search, effort and no thinking when told to', () => {
    const { body } = encode({ features: { thinking: false, search: true, reasoningEffort: 'high' } });
    expect(body['mcp_servers']).toEqual(['deep-web-search']);
    expect(body['features']).toMatchObject({
      web_search: true,
      auto_web_search: true,
      enable_thinking: false,
      reasoning_effort: 'high',
    });
  });
});
