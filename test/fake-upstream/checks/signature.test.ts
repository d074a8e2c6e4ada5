import { describe, expect, it } from '@jest/globals';
import { defaultSettings } from '../settings.ts';
import { computeSignature, isSignedWith, signatureBucket } from './signature.ts';

/** The golden vectors of protocol 4.5; the first was captured from a browser. */
const vectors = [
  {
    secret: defaultSettings.signingSecret,
    timestamp: '1775599005668',
    requestId: 'a8ac2475-2aab-4c5f-8a06-b0070753b258',
    userId: '8f8cc6ad-5979-43a8-9712-14345520e1e9',
    prompt: 'Test. Reply with exactly: pong',
    bucket: 5918663,
    signature: '75df737cc60d03eceff6a77b38aff03cbd0f5ad81ea79f2d342a2d1a3f48304a',
  },
  {
    secret: defaultSettings.signingSecret,
    timestamp: '1756000000000',
    requestId: 'req-1',
    userId: 'u1',
    prompt: 'hi',
    bucket: 5853333,
    signature: '6e421a678473edc44c6e1a9f0631f6c925aed47c72615731c57e4abb110b7fe4',
  },
  {
    secret: 'TEST-KEY-DO-NOT-USE',
    timestamp: '1750000000000',
    requestId: '46daabfa-1cdf-4000-8000-000000000000',
    userId: '',
    prompt: 'Hello',
    bucket: 5833333,
    signature: '445932babc488914f261537fdbc68ccc8bd3be7b9b32a657d450bf644db70348',
  },
  {
    secret: 'TEST-KEY-DO-NOT-USE',
    timestamp: '1750000000000',
    requestId: '46daabfa-1cdf-4000-8000-000000000000',
    userId: 'user-7',
    prompt: '你好, Z.ai 🚀',
    bucket: 5833333,
    signature: '936a96e636ef8e3097c822e4abf392656fcd83a397afd3e093fbf4d941789a3a',
  },
];

describe('the signature', () => {
  it.each(vectors)('of $prompt is the known one', ({ signature, bucket, ...values }) => {
    expect(computeSignature(values)).toBe(signature);
    expect(signatureBucket(Number(values.timestamp))).toBe(bucket);
    expect(isSignedWith(signature, values)).toBe(true);
    expect(isSignedWith(signature, { ...values, prompt: `${values.prompt} ` })).toBe(false);
    expect(isSignedWith('', values)).toBe(false);
  });
});
