import type { EmbeddingRequest, EmbeddingResult } from '@zai2api/turn';

/** The answer of `POST /v1/embeddings`, with the name that was asked for. */
export function encodeEmbeddingResponse(
  { vectors, inputTokens }: EmbeddingResult,
  { model }: EmbeddingRequest,
  encoding: 'float' | 'base64',
): unknown {
  return {
    object: 'list',
    data: vectors.map((vector, index) => ({
      object: 'embedding',
      index,
      embedding: encoding === 'float' ? vector : encodeBase64(vector),
    })),
    model,
    usage: { prompt_tokens: inputTokens, total_tokens: inputTokens },
  };
}

/** The bytes of 32-bit floats, the least significant first, as official clients read them. */
function encodeBase64(vector: readonly number[]): string {
  const view = new DataView(new ArrayBuffer(vector.length * 4));
  for (const [index, value] of vector.entries()) view.setFloat32(index * 4, value, true);
  let bytes = '';
  for (let at = 0; at < view.byteLength; at++) bytes += String.fromCharCode(view.getUint8(at));
  return btoa(bytes);
}
