import { describe, expect, it } from '@jest/globals';
import OpenAI from 'openai';
import type { ErrorBody } from '../support/chat-client.ts';
import { startStack, type Stack } from '../support/start-stack.ts';

const platform = { ZAI_UPSTREAMS: 'platform', ZAI_PLATFORM_API_KEY: 'key-a' };
const embeddingsPath = '/api/paas/v4/embeddings';
const imagesPath = '/api/paas/v4/images/generations';

const connect = ({ url }: Stack): OpenAI => new OpenAI({ baseURL: `${url}/v1`, apiKey: 'none', maxRetries: 0 });
const bodies = ({ upstream }: Stack, path: string): unknown[] =>
  upstream.log.filter((request) => request.path === path).map(({ body }) => body);

const post = ({ url }: Stack, path: string, body: unknown): Promise<Response> =>
  fetch(`${url}${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });

async function errorOf(response: Response): Promise<unknown[]> {
  const { error } = (await response.json()) as ErrorBody;
  return [response.status, error.code, error.param];
}

describe('POST /v1/embeddings', () => {
  it('gives the official client its vectors, in the form that it asks for', async () => {
    await using stack = await startStack({ env: platform });
    const client = connect(stack);
    const ask = { model: 'embedding-3', input: ['one', 'two'], dimensions: 256 };
    // The client asks for Base64 by itself and reads it.
    const read = await client.embeddings.create(ask);
    const plain = await client.embeddings.create({ ...ask, encoding_format: 'float' });
    expect(read).toMatchObject({ object: 'list', model: 'embedding-3', usage: { prompt_tokens: 2, total_tokens: 2 } });
    expect(read.data.map(({ index, embedding }) => [index, embedding.length])).toEqual([
      [0, 256],
      [1, 256],
    ]);
    for (const [index, { embedding }] of plain.data.entries()) {
      for (const [at, value] of embedding.entries()) expect(read.data[index]?.embedding[at]).toBeCloseTo(value, 6);
    }
    expect(plain.data[0]?.embedding).not.toEqual(plain.data[1]?.embedding);
    expect(bodies(stack, embeddingsPath)).toEqual([ask, ask]);
  });

  it('asks for many texts in several calls and keeps their order', async () => {
    await using stack = await startStack({ env: platform });
    const input = Array.from({ length: 150 }, (_, index) => `text ${index}`);
    const { data } = await connect(stack).embeddings.create({ model: 'embedding-3', input, dimensions: 256 });
    expect(data.map(({ index }) => index)).toEqual(input.map((_, index) => index));
    const [single] = (
      await connect(stack).embeddings.create({ model: 'embedding-3', input: 'text 149', dimensions: 256 })
    ).data;
    expect(data[149]?.embedding).toEqual(single?.embedding);
    expect(bodies(stack, embeddingsPath)).toHaveLength(4);
  });

  it('knows aliases and echoes the name that was asked for', async () => {
    await using stack = await startStack({
      env: { ...platform, ZAI_MODEL_ALIASES: 'text-embedding-*=embedding-3' },
    });
    const response = await connect(stack).embeddings.create({ model: 'text-embedding-3-small', input: 'x' });
    expect(response.model).toBe('text-embedding-3-small');
    expect(bodies(stack, embeddingsPath)).toEqual([{ model: 'embedding-3', input: ['x'] }]);
  });

  it.each<[string, Record<string, unknown>, unknown[]]>([
    ['no input', {}, [400, 'missing_required_parameter', 'input']],
    ['an empty list', { input: [] }, [400, 'invalid_value', 'input']],
    ['an empty text', { input: ['a', ''] }, [400, 'invalid_value', 'input[1]']],
    ['tokens', { input: [1, 2, 3] }, [400, 'unsupported_value', 'input']],
    ['lists of tokens', { input: [[1, 2]] }, [400, 'unsupported_value', 'input']],
    ['a format that nobody has', { input: 'x', encoding_format: 'hex' }, [400, 'invalid_value', 'encoding_format']],
    ['dimensions that the upstream does not take', { input: 'x', dimensions: 7 }, [400, 'invalid_value', null]],
  ])('refuses %s', async (_what, fields, expected) => {
    await using stack = await startStack({ env: platform });
    expect(await errorOf(await post(stack, '/v1/embeddings', { model: 'embedding-3', ...fields }))).toEqual(expected);
  });

  it('tries another key, and tells what all of them were refused with', async () => {
    await using stack = await startStack({
      env: { ...platform, ZAI_PLATFORM_API_KEY: 'poor,rich' },
      upstream: { platformKeyFaults: { poor: '1113' } },
    });
    expect((await post(stack, '/v1/embeddings', { input: 'x' })).status).toBe(200);
    stack.upstream.configure({ platformKeyFaults: { poor: '1113', rich: '1113' } });
    expect(await errorOf(await post(stack, '/v1/embeddings', { input: 'x' }))).toEqual([
      429,
      'insufficient_quota',
      null,
    ]);
  });

  it('is never made up by an upstream that cannot', async () => {
    await using stack = await startStack({ env: { ZAI_UPSTREAMS: 'web' } });
    for (const path of ['/v1/embeddings', '/v1/images/generations']) {
      const response = await post(stack, path, { input: 'x', prompt: 'x' });
      expect(await errorOf(response)).toEqual([400, 'unsupported_endpoint', null]);
    }
    expect((await fetch(`${stack.url}/v1/embeddings`)).status).toBe(405);
  });
});

describe('POST /v1/images/generations', () => {
  it('gives the address of a picture', async () => {
    await using stack = await startStack({ env: platform });
    const { created, data } = await connect(stack).images.generate({
      model: 'glm-image',
      prompt: 'a cat',
      size: '1024x1024',
      quality: 'high',
      n: 1,
    });
    expect(created).toBeGreaterThan(1_700_000_000);
    expect(data?.[0]?.url).toMatch(/^http.*\.png$/);
    expect(bodies(stack, imagesPath)).toEqual([
      { model: 'glm-image', prompt: 'a cat', size: '1024x1024', quality: 'hd' },
    ]);
  });

  it('gives the picture itself', async () => {
    const permittedPorts: number[] = [];
    await using stack = await startStack({
      env: (upstream) => {
        permittedPorts.push(Number(new URL(upstream.url).port));
        return { ...platform, ZAI_MEDIA_ALLOW_HTTP: 'true' };
      },
      mediaGuard: { permittedNetworks: ['127.0.0.0/8'], permittedPorts },
    });
    const response = await post(stack, '/v1/images/generations', { prompt: 'a cat', response_format: 'b64_json' });
    const { data } = (await response.json()) as OpenAI.ImagesResponse;
    expect(
      Buffer.from(data?.[0]?.b64_json ?? '', 'base64')
        .subarray(1, 4)
        .toString(),
    ).toBe('PNG');
  });

  it('says that a picture cannot be fetched, without its address', async () => {
    await using stack = await startStack({ env: platform });
    const response = await post(stack, '/v1/images/generations', { prompt: 'a cat', response_format: 'b64_json' });
    const text = await response.text();
    expect([response.status, text.includes('upstream_error'), text.includes('127.0.0.1')]).toEqual([502, true, false]);
  });

  it.each<[string, Record<string, unknown>, unknown[]]>([
    ['no prompt', { prompt: undefined }, [400, 'missing_required_parameter', 'prompt']],
    ['two pictures', { n: 2 }, [400, 'unsupported_value', 'n']],
    ['a stream', { stream: true }, [400, 'unsupported_parameter', 'stream']],
    ['a size that nobody makes', { size: '100x100' }, [400, 'invalid_value', 'size']],
    ['a size that is none', { size: 'large' }, [400, 'invalid_value', 'size']],
    ['a model that is not there', { model: 'dall-e-3' }, [404, 'model_not_found', 'model']],
  ])('refuses %s', async (_what, fields, expected) => {
    await using stack = await startStack({ env: platform });
    expect(await errorOf(await post(stack, '/v1/images/generations', { prompt: 'a cat', ...fields }))).toEqual(
      expected,
    );
  });

  it.each(['500', 'reset', '1234'])('is not ordered twice: %s', async (platformFault) => {
    await using stack = await startStack({ env: platform, upstream: { platformFault } });
    expect((await post(stack, '/v1/images/generations', { prompt: 'a cat' })).status).toBe(502);
    expect(bodies(stack, imagesPath)).toHaveLength(1);
  });

  it('tells that the content was refused', async () => {
    await using stack = await startStack({ env: platform, upstream: { platformFault: '1301' } });
    const response = await post(stack, '/v1/images/generations', { prompt: 'a cat' });
    expect(await errorOf(response)).toEqual([400, 'content_policy_violation', null]);
  });
});
