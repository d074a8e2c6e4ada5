import { sendJson, type Exchange } from '../routes/exchange.ts';
import { refuseKey } from './platform-checks.ts';
import { answerCompletion } from './platform-completion.ts';
import { answerEmbeddings } from './platform-embeddings.ts';
import { answerImages, sendPicture } from './platform-images.ts';
import { listedModelIds } from './platform-models.ts';
import { refuse, sendPlatformFault } from './send-platform-fault.ts';

/** `GET /models` (protocol 10.3). */
function answerModels(exchange: Exchange): void {
  const { platformModelsFault, platformModels } = exchange.settings;
  const refusal = refuseKey(exchange);
  if (platformModelsFault !== null && sendPlatformFault(exchange, platformModelsFault)) return;
  if (refusal) refuse(exchange, refusal);
  else {
    const ids = platformModels ?? listedModelIds;
    sendJson(exchange, 200, {
      object: 'list',
      data: ids.map((id) => ({ id, object: 'model', created: 1_760_000_000 })),
    });
  }
}

/** The routes of the official API, on its general base and on that of the Coding Plan (protocol 10.1). */
export const platformRoutes = [
  { pattern: /^\/api\/(?:coding\/)?paas\/v4\/chat\/completions$/, handlers: { POST: answerCompletion } },
  { pattern: /^\/api\/(?:coding\/)?paas\/v4\/models$/, handlers: { GET: answerModels } },
  { pattern: /^\/api\/paas\/v4\/embeddings$/, handlers: { POST: answerEmbeddings } },
  { pattern: /^\/api\/paas\/v4\/images\/generations$/, handlers: { POST: answerImages } },
  { pattern: /^\/platform-files\/\d+\.png$/, handlers: { GET: sendPicture } },
];
