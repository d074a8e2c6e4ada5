import { createHash } from 'node:crypto';
import { z } from 'zod';
import { sendJson, type Exchange } from '../routes/exchange.ts';
import { refuseKey } from './platform-checks.ts';
import { refuse, sendPlatformFault, takeFault } from './send-platform-fault.ts';

const embeddingsBody = z.strictObject({
  model: z.string(),
  input: z.union([z.string().min(1), z.array(z.string().min(1)).min(1).max(64)]),
  dimensions: z.union([256, 512, 1024, 2048].map((size) => z.literal(size))).optional(),
  request_id: z.string().min(6).max(64).optional(),
  user_id: z.string().min(6).max(128).optional(),
});

/** Numbers that depend on the text alone. */
function vectorOf(text: string, size: number): number[] {
  const hash = createHash('sha256').update(text).digest();
  return Array.from({ length: size }, (_, index) => ((hash[index % hash.length] ?? 0) - 128 + (index % 7)) / 256);
}

/** `POST /embeddings`: vectors of plain numbers, whatever is asked for. */
export function answerEmbeddings(exchange: Exchange): void {
  const refusal = refuseKey(exchange);
  const fault = takeFault(exchange);
  if (fault !== undefined && sendPlatformFault(exchange, fault)) return;
  const parsed = embeddingsBody.safeParse(exchange.record.body);
  if (refusal) refuse(exchange, refusal);
  else if (!parsed.success) refuse(exchange, { name: 'body', code: '1214', message: z.prettifyError(parsed.error) });
  else if (!/^embedding-[23]$/.test(parsed.data.model)) refuse(exchange, { name: 'model', code: '1211' });
  else {
    const { model, input, dimensions = 2048 } = parsed.data;
    const texts = typeof input === 'string' ? [input] : input;
    const tokens = texts.reduce((sum, text) => sum + Math.ceil(text.length / 4), 0);
    sendJson(exchange, 200, {
      model,
      object: 'list',
      data: texts.map((text, index) => ({ object: 'embedding', index, embedding: vectorOf(text, dimensions) })),
      usage: { prompt_tokens: tokens, completion_tokens: 0, total_tokens: tokens },
    });
  }
}
