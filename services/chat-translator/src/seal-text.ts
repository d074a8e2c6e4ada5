import { createCipheriv, createDecipheriv, createHash, randomBytes } from 'node:crypto';
import { deflateRawSync, inflateRawSync } from 'node:zlib';
import type { ClientCodecContext } from '@zai2api/dialects';

const ALGORITHM = 'aes-256-gcm';
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
/** In front of every seal, so that its form can change. */
const VERSION = Buffer.from([2]);
/** More than any model thinks in one go; a seal that grows beyond is not ours to unpack. */
const MAX_TEXT_BYTES = 16 * 1024 * 1024;

/**
 * Seals of text that clients carry from one request to the next: compressed, encrypted and authenticated, as Base64. Each is of one tenant,
 * and opens for nobody else. Processes that share `secret` read each other's; without one the seals of this process end with it.
 */
export function createTextSeals(
  secret: string | undefined,
): (tenant: string) => Pick<ClientCodecContext, 'seal' | 'unseal'> {
  const key = secret === undefined ? randomBytes(32) : createHash('sha256').update(secret).digest();
  return (tenant) => createTextSeal(key, Buffer.from(tenant));
}

/** What is authenticated, and not written into the seal, is whose it is. */
function createTextSeal(key: Buffer, tenant: Buffer): Pick<ClientCodecContext, 'seal' | 'unseal'> {
  return {
    seal(text) {
      const nonce = randomBytes(NONCE_BYTES);
      const cipher = createCipheriv(ALGORITHM, key, nonce).setAAD(tenant);
      const sealed = Buffer.concat([cipher.update(deflateRawSync(text)), cipher.final()]);
      return Buffer.concat([VERSION, nonce, cipher.getAuthTag(), sealed]).toString('base64');
    },
    unseal(sealed) {
      const bytes = Buffer.from(sealed, 'base64');
      if (bytes[0] !== VERSION[0] || bytes.length < VERSION.length + NONCE_BYTES + TAG_BYTES) return undefined;
      const nonce = bytes.subarray(VERSION.length, VERSION.length + NONCE_BYTES);
      const tag = bytes.subarray(VERSION.length + NONCE_BYTES, VERSION.length + NONCE_BYTES + TAG_BYTES);
      try {
        const decipher = createDecipheriv(ALGORITHM, key, nonce, { authTagLength: TAG_BYTES });
        decipher.setAAD(tenant).setAuthTag(tag);
        const packed = [decipher.update(bytes.subarray(VERSION.length + NONCE_BYTES + TAG_BYTES)), decipher.final()];
        return inflateRawSync(Buffer.concat(packed), { maxOutputLength: MAX_TEXT_BYTES }).toString();
      } catch {
        return undefined;
      }
    },
  };
}
