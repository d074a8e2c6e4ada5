import { z } from 'zod';
import { sendJson, type Exchange } from '../routes/exchange.ts';
import { refuseKey } from './platform-checks.ts';
import { refuse, sendPlatformFault, takeFault } from './send-platform-fault.ts';

const imagesBody = z.strictObject({
  model: z.string(),
  prompt: z.string().min(1),
  size: z
    .string()
    .regex(/^\d{3,4}x\d{3,4}$/)
    .optional(),
  quality: z.enum(['hd', 'standard']).optional(),
  user_id: z.string().min(6).max(128).optional(),
});

/** The smallest PNG there is: one grey point. */
const png = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNgAAAAAgABSK+kcQAAAABJRU5ErkJggg==',
  'base64',
);

/** `POST /images/generations`: one picture at an address of the simulator. */
export function answerImages(exchange: Exchange): void {
  const refusal = refuseKey(exchange);
  const fault = takeFault(exchange);
  if (fault !== undefined && sendPlatformFault(exchange, fault)) return;
  const parsed = imagesBody.safeParse(exchange.record.body);
  if (refusal) refuse(exchange, refusal);
  else if (!parsed.success) refuse(exchange, { name: 'body', code: '1214', message: z.prettifyError(parsed.error) });
  else if (!/^(?:glm-image$|cogview-)/.test(parsed.data.model)) refuse(exchange, { name: 'model', code: '1211' });
  else {
    const url = `http://${exchange.record.headers['host'] ?? ''}/platform-files/${exchange.record.id}.png`;
    sendJson(exchange, 200, {
      created: Math.floor(exchange.world.nowMs() / 1000),
      data: [{ url }],
      content_filter: [],
    });
  }
}

/** `GET /platform-files/…`: the picture that every address shows. */
export function sendPicture({ response, record }: Exchange): void {
  record.status = 200;
  response.writeHead(200, { 'content-type': 'image/png', 'content-length': String(png.length) });
  response.end(png);
}
