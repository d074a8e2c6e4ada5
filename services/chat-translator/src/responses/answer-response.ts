import { openAiResponses, readResponseRequest, type DecodedResponseRequest } from '@zai2api/dialects';
import { abortOnClose, type RequestState } from '@zai2api/runtime';
import type { ParameterizedContext } from 'koa';
import { answerTurn } from '../routes/answer-turn.ts';
import type { AnswerResponseOptions } from './answer-response-options.ts';
import { countError } from './count-error.ts';
import { findItems } from './find-items.ts';
import { keepWhole } from './keep-response.ts';
import { openInBackground } from './open-in-background.ts';
import { openKeptStream } from './open-kept-stream.ts';
import { nothingIsKept, tooManyInBackground } from './response-refusals.ts';
import { tenantOf } from './tenant-of.ts';

type Context = ParameterizedContext<RequestState>;

/**
 * `POST /v1/responses` (contract 2). A response that is kept and streamed, or in the background, runs on its own account: its client may
 * leave and come back. All others end with their client. A store that does not answer costs a response its keeping, which it says, but not the
 * answer; in the background there is nothing without it.
 */
export async function answerResponse(ctx: Context, options: AnswerResponseOptions): Promise<void> {
  const held: { decoded: DecodedResponseRequest | undefined } = { decoded: await readRequest(ctx, options) };
  // Whoever takes it holds it alone: the Base64 of its attachments would stay in memory as long as the answer runs.
  const take = (): DecodedResponseRequest => {
    const { decoded } = held;
    if (!decoded) throw new Error('The request was taken already.');
    held.decoded = undefined;
    return decoded;
  };
  const signal = abortOnClose(ctx.res);
  const { background = false, store = false, stream = false } = held.decoded ?? {};
  if (background) {
    const leavePlace = options.runs.reserveBackground(tenantOf(ctx));
    if (!leavePlace) throw tooManyInBackground();
    const send = await openInBackground(ctx, take(), signal, options).finally(leavePlace);
    await send();
  } else if (store && stream) {
    const send = await openKeptStream(ctx, take(), signal, options);
    await send();
  } else {
    await answerWhole(ctx, take, options);
  }
}

/** And those that are streamed and not kept. */
async function answerWhole(
  ctx: Context,
  take: () => DecodedResponseRequest,
  options: AnswerResponseOptions,
): Promise<void> {
  let holdsBody = false;
  const bodies: typeof options.bodies = {
    ...options.bodies,
    // What is held up to the end counts up to the end.
    forget: () => (holdsBody ? undefined : options.bodies.forget(ctx)),
  };
  await answerTurn(ctx, openAiResponses, { ...options, bodies }, () => {
    const { decoded, holdsConversation } = keepWhole(ctx, take(), options);
    holdsBody = holdsConversation;
    return Promise.resolve(decoded);
  });
}

async function readRequest(ctx: Context, options: AnswerResponseOptions): Promise<DecodedResponseRequest> {
  const { store, settings } = options;
  try {
    const asked = readResponseRequest(await options.bodies.readJson(ctx));
    const tenant = tenantOf(ctx);
    const found = await findItems(asked, store, tenant, abortOnClose(ctx.res));
    const decoded = asked.decode(options.clientContextFor(tenant), found);
    if (settings.ZAI_RESPONSES_TTL > 0) return decoded;
    if (decoded.background) throw nothingIsKept();
    decoded.forgoStore();
    return { ...decoded, store: false };
  } catch (reason) {
    countError(ctx, reason, options);
    throw reason;
  }
}
