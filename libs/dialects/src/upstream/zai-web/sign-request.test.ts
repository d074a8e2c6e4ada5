import { createHmac } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { signRequest, type SignatureInput, type SigningFunctions } from './sign-request.ts';

const signing: SigningFunctions = {
  hmacSha256Hex: (key, message) => createHmac('sha256', key).update(message).digest('hex'),
  base64: (text) => Buffer.from(text).toString('base64'),
};
const publicSecret = 'key-@@@@)))()((9))-xxxx&&&%%%%%';

/** The table of protocol 4.5; its first row was captured from a browser. */
const vectors: readonly (SignatureInput & { readonly signature: string })[] = [
  {
    secret: publicSecret,
    timestampMs: 1775599005668,
    requestId: 'a8ac2475-2aab-4c5f-8a06-b0070753b258',
    userId: '8f8cc6ad-5979-43a8-9712-14345520e1e9',
    prompt: 'Test. Reply with exactly: pong',
    signature: '75df737cc60d03eceff6a77b38aff03cbd0f5ad81ea79f2d342a2d1a3f48304a',
  },
  {
    secret: publicSecret,
    timestampMs: 1756000000000,
    requestId: 'req-1',
    userId: 'u1',
    prompt: 'hi',
    signature: '6e421a678473edc44c6e1a9f0631f6c925aed47c72615731c57e4abb110b7fe4',
  },
  {
    secret: 'TEST-KEY-DO-NOT-USE',
    timestampMs: 1750000000000,
    requestId: '46daabfa-1cdf-4000-8000-000000000000',
    userId: '',
    prompt: 'Hello',
    signature: '445932babc488914f261537fdbc68ccc8bd3be7b9b32a657d450bf644db70348',
  },
  {
    secret: 'TEST-KEY-DO-NOT-USE',
    timestampMs: 1750000000000,
    requestId: '46daabfa-1cdf-4000-8000-000000000000',
    userId: 'user-7',
    prompt: '你好, Z.ai 🚀',
    signature: '936a96e636ef8e3097c822e4abf392656fcd83a397afd3e093fbf4d941789a3a',
  },
];

describe('signRequest', () => {
  it.each(vectors)('signs $prompt of user "$userId" as captured', ({ signature, ...input }) => {
    expect(signRequest(input, signing)).toBe(signature);
  });

  it.each([
    ['the last millisecond of a bucket', 1_750_000_199_999, '5833333'],
    ['the first millisecond of the next', 1_750_000_200_000, '5833334'],
  ])('takes the key of %s', (_name, timestampMs, bucket) => {
    const messages: string[] = [];
    const recording: SigningFunctions = {
      ...signing,
      hmacSha256Hex: (key, message) => {
        messages.push(message);
        return signing.hmacSha256Hex(key, message);
      },
    };
    signRequest({ ...vectors[1]!, timestampMs }, recording);
    expect(messages[0]).toBe(bucket);
  });

  it('gives another signature for any other input', () => {
    const [base] = vectors;
    const { signature, ...input } = base!;
    const changed = fc.oneof(
      fc.record({ prompt: fc.string({ unit: 'binary' }).filter((text) => text !== input.prompt) }),
      fc.record({ userId: fc.string().filter((text) => text !== input.userId) }),
      fc.record({ requestId: fc.string().filter((text) => text !== input.requestId) }),
      fc.record({ secret: fc.string({ minLength: 1 }).filter((text) => text !== input.secret) }),
      fc.record({ timestampMs: fc.nat().filter((ms) => ms !== input.timestampMs) }),
    );
    fc.assert(
      fc.property(changed, (change) => {
        const other = signRequest({ ...input, ...change }, signing);
        return /^[0-9a-f]{64}$/.test(other) && other !== signature;
      }),
    );
  });
});
