/** The two primitives that a pure package has to be handed. */
export interface SigningFunctions {
  /** Lower-case hex of HMAC-SHA256. Key and message are UTF-8. */
  readonly hmacSha256Hex: (key: string, message: string) => string;
  /** Standard padded Base64 of the UTF-8 bytes. */
  readonly base64: (text: string) => string;
}

/** What a request's signature is made of (protocol 4). */
export interface SignatureInput {
  readonly secret: string;
  readonly requestId: string;
  /** Milliseconds since the epoch, by the upstream's clock. */
  readonly timestampMs: number;
  /** May be empty. */
  readonly userId: string;
  /** Exactly the text that goes up as `signature_prompt`. */
  readonly prompt: string;
}

/** The first key changes every five minutes (protocol 0.2). */
const SIGNATURE_BUCKET_MS = 300_000;

/** The `X-Signature` value: two layers of HMAC over the sorted identifiers, the prompt and the time (protocol 4.5). */
export function signRequest(input: SignatureInput, { hmacSha256Hex, base64 }: SigningFunctions): string {
  const timestamp = String(input.timestampMs);
  const identifiers = `requestId,${input.requestId},timestamp,${timestamp},user_id,${input.userId}`;
  const canonical = `${identifiers}|${base64(input.prompt)}|${timestamp}`;
  const bucketKey = hmacSha256Hex(input.secret, String(Math.floor(input.timestampMs / SIGNATURE_BUCKET_MS)));
  return hmacSha256Hex(bucketKey, canonical);
}
