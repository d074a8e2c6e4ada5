import { createHmac } from 'node:crypto';
import type { SigningFunctions } from '@zai2api/dialects';

/** Node's HMAC and Base64 for the pure codec. */
export const signingFunctions: SigningFunctions = {
  hmacSha256Hex: (key, message) => createHmac('sha256', key).update(message).digest('hex'),
  base64: (text) => Buffer.from(text).toString('base64'),
};
