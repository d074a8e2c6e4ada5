import { randomUUID } from 'node:crypto';
import type { Credential } from '@zai2api/credentials';
import { decodeFileId, encodeFileUpload, type CompletionFile, type WebProfile } from '@zai2api/dialects';
import { TurnError } from '@zai2api/turn';
import { mapWithConcurrency } from '../map-with-concurrency.ts';
import { mediaNeedsUser } from '../media/media-error.ts';
import type { Media } from '../media/read-attachments.ts';
import type { UpstreamClient } from '../http/upstream-client.ts';

/** At the same time; a browser sends no more to one host. */
const CONCURRENCY = 4;

/**
 * Gives the files of a turn to the upstream and returns what its completion needs to know of them, in the same order. They belong to the
 * credential's user, so another credential needs them anew. Throws `…_input_needs_user_token` when a guest may not: no other guest may.
 */
export function uploadMedia(
  media: readonly Media[],
  { client, profile, credential }: { client: UpstreamClient; profile: WebProfile; credential: Credential },
  signal: AbortSignal,
): Promise<CompletionFile[]> {
  return mapWithConcurrency(media, CONCURRENCY, async (file) => {
    const { kind, filename, bytes } = file;
    const { method, url, headers } = encodeFileUpload({ profile, token: credential.token });
    const form = await encodeForm(file);
    const request = { method, url, headers: { ...headers, 'Content-Type': form.contentType }, body: form.body };
    try {
      const id = decodeFileId(await client.call(request, signal));
      return { kind, id, filename, size: bytes.length, itemId: randomUUID() };
    } catch (reason) {
      const error = TurnError.from(reason);
      throw credential.kind === 'guest' && isRefusal(error) ? mediaNeedsUser(file, error) : error;
    }
  });
}

/** A live guest is refused with 403; 401 would mean that it is dead, but nobody has seen which of the two a guest's upload gets. */
function isRefusal({ code, details }: TurnError): boolean {
  return code === 'upstream_forbidden' || details.reason === 'upstream_unauthorized';
}

/** The form as one piece: its length is then known, and undici's own way with forms never sends a file's bytes (8.12). */
async function encodeForm({ bytes, filename, mediaType }: Media): Promise<{ body: Uint8Array; contentType: string }> {
  const form = new FormData();
  form.append('file', new File([bytes], filename, { type: mediaType }));
  const encoded = new Response(form);
  const body = new Uint8Array(await encoded.arrayBuffer());
  return { body, contentType: encoded.headers.get('content-type') ?? '' };
}
