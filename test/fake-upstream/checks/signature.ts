import { createHmac, timingSafeEqual } from 'node:crypto';

/** The signed values of one completion (protocol 4.5). */
export interface SignedValues {
  readonly secret: string;
  readonly requestId: string;
  /** Milliseconds, as the decimal string that came in. */
  readonly timestamp: string;
  /** May be empty. */
  readonly userId: string;
  readonly prompt: string;
}

const bucketMs = 300_000;

/** Number of the 5-minute window that a time in ms falls into. */
export function signatureBucket(timestampMs: number): number {
  return Math.floor(timestampMs / bucketMs);
}

const hmac = (key: string, message: string): string => createHmac('sha256', key).update(message, 'utf8').digest('hex');

/** What `X-Signature` must be (protocol 4.5), worked out here a second time and on purpose without the product's codec. */
export function computeSignature({ secret, requestId, timestamp, userId, prompt }: SignedValues): string {
  const sorted = `requestId,${requestId},timestamp,${timestamp},user_id,${userId}`;
  const prompt64 = Buffer.from(prompt, 'utf8').toString('base64');
  const bucketKey = hmac(secret, String(signatureBucket(Number(timestamp))));
  return hmac(bucketKey, `${sorted}|${prompt64}|${timestamp}`);
}

/** True when `signature` is the right one for these values. */
export function isSignedWith(signature: string, values: SignedValues): boolean {
  const expected = Buffer.from(computeSignature(values));
  const actual = Buffer.from(signature);
  return expected.length === actual.length && timingSafeEqual(expected, actual);
}
