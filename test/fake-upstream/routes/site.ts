import { builtInModels, modelListEntry } from '../models.ts';
import { requireIdentity, sendAnswer, sendFault, sendJson } from './exchange.ts';
import type { Exchange } from './exchange.ts';

/** `GET /`: the page whose asset addresses name the frontend version (protocol 4.4). */
export function answerIndex(exchange: Exchange): void {
  const { indexFault, frontendVersion } = exchange.settings;
  if (indexFault) {
    sendFault(exchange, indexFault);
    return;
  }
  const assets = `https://z-cdn.chatglm.cn/z-ai/frontend/${frontendVersion}/assets`;
  const body = `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Z.ai</title>
<link rel="stylesheet" href="${assets}/index-5d3a1c.css"><script type="module" src="${assets}/index-9f2b7e.js"></script>
</head><body><div id="app"></div></body></html>
`;
  sendAnswer(exchange, { status: 200, contentType: 'text/html; charset=utf-8', body });
}

/** `GET /api/config` (protocol 2). */
export function answerConfig(exchange: Exchange): void {
  const { requireVerification } = exchange.settings;
  sendJson(exchange, 200, { completion_version: 2, features: { enable_captcha: requireVerification !== false } });
}

/** `GET /api/models` (protocol 3.1); the same list for guests and users. */
export function answerModels(exchange: Exchange): void {
  const { modelsFault, models } = exchange.settings;
  if (modelsFault) {
    sendFault(exchange, modelsFault);
    return;
  }
  if (requireIdentity(exchange)) sendJson(exchange, 200, { data: (models ?? builtInModels).map(modelListEntry) });
}
