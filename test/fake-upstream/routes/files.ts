import { z } from 'zod';
import { httpAnswers } from '../http-faults.ts';
import { requireIdentity, sendAnswer, sendFault, sendJson } from './exchange.ts';
import type { Exchange } from './exchange.ts';

const upload = z.object({ filename: z.string(), contentType: z.string(), size: z.number() });

/** `POST /api/v1/files/` (protocol 7): guests may not; the bytes are counted and forgotten, the rest is kept. */
export function acceptFile(exchange: Exchange): void {
  const { settings, record, world } = exchange;
  if (settings.filesFault) {
    sendFault(exchange, settings.filesFault);
    return;
  }
  const identity = requireIdentity(exchange);
  if (!identity) return;
  if (identity.role === 'guest') {
    sendAnswer(exchange, httpAnswers['403']);
    return;
  }
  const file = upload.safeParse(record.body);
  if (!file.success) {
    sendAnswer(exchange, httpAnswers['422']);
    return;
  }
  const { filename, contentType, size } = file.data;
  const { id } = world.files.add({ userId: identity.userId, filename, contentType, size });
  const nowSeconds = Math.floor(world.nowMs() / 1000);
  sendJson(exchange, 200, {
    id,
    user_id: identity.userId,
    hash: null,
    filename,
    data: {},
    meta: {
      name: filename,
      content_type: contentType,
      size,
      data: {},
      oss_endpoint: 'oss.example',
      cdn_url: `https://cdn.example/${id}`,
    },
    created_at: nowSeconds,
    updated_at: nowSeconds,
  });
}
