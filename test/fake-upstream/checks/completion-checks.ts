import { httpAnswers } from '../http-faults.ts';
import { builtInModels } from '../models.ts';
import { isStaleVersion } from './frontend-version.ts';
import { requiredHeaders, requiredQueryNames } from './required-names.ts';
import { isSignedWith, signatureBucket } from './signature.ts';
import { hasMatchingFiles } from './file-references.ts';
import type { CompletionBody } from './completion-body.ts';
import type { HttpAnswer } from '../http-faults.ts';
import type { StreamErrorName } from '../scenarios/stream-errors.ts';
import type { Exchange } from '../routes/exchange.ts';

/** What a failed check answers: a whole HTTP answer, or a 200 stream that is only an error frame. */
export type Refusal = { readonly http: HttpAnswer } | { readonly inStream: StreamErrorName };

/** A completion as the checks see it; `body` is undefined when it does not fit. */
export interface CompletionFacts {
  readonly exchange: Exchange;
  readonly body: CompletionBody | undefined;
}

interface CompletionCheck {
  /** As it appears in `ReceivedRequest.faults`. */
  readonly name: string;
  /** The refusal, or undefined when all is well or the check is switched off. */
  readonly refuse: (facts: CompletionFacts) => Refusal | undefined;
}

const edgeBlock: Refusal = { http: httpAnswers.waf };
const badSignature = (why: string): Refusal => ({
  http: {
    ...httpAnswers['bad-signature'],
    body: JSON.stringify({ detail: `403: Signature validation failed: ${why}` }),
  },
});

const staleAnswers = {
  waf: edgeBlock,
  '426': { http: httpAnswers['426'] },
  'in-stream': { inStream: 'stale-version' },
} as const satisfies Record<string, Refusal>;

const completionChecks: readonly CompletionCheck[] = [
  {
    name: 'frontend-version',
    refuse: ({ exchange: { settings, record } }) =>
      settings.checkFrontendVersion && isStaleVersion(record.headers['x-fe-version'], settings.frontendVersion)
        ? staleAnswers[settings.staleVersionAnswer]
        : undefined,
  },
  {
    name: 'query',
    refuse: ({ exchange: { settings, record } }) =>
      settings.checkQuery && requiredQueryNames.some((name) => record.query[name] === undefined)
        ? edgeBlock
        : undefined,
  },
  {
    name: 'headers',
    refuse: ({ exchange: { settings, record } }) => {
      if (!settings.checkHeaders) return undefined;
      const agent = record.query['user_agent'];
      const incomplete = requiredHeaders.some((name) => (record.headers[name] ?? '') === '');
      return incomplete || (agent !== undefined && agent !== record.headers['user-agent']) ? edgeBlock : undefined;
    },
  },
  {
    name: 'token',
    refuse: ({ exchange }) => (exchange.identity ? undefined : { http: httpAnswers['401'] }),
  },
  {
    name: 'query-token',
    refuse: ({ exchange: { settings, record, bearer } }) =>
      settings.checkQuery && record.query['token'] !== bearer ? { http: httpAnswers['401'] } : undefined,
  },
  { name: 'body', refuse: ({ body }) => (body ? undefined : { http: httpAnswers['422'] }) },
  {
    name: 'signature',
    refuse: ({ exchange: { settings, record }, body }) => {
      if (!settings.checkSignature) return undefined;
      const { requestId = '', timestamp = '', user_id: userId = '', signature_timestamp: signedAt } = record.query;
      const prompt = body?.signature_prompt ?? '';
      const values = { secret: settings.signingSecret, requestId, timestamp, userId, prompt };
      const good = signedAt === timestamp && isSignedWith(record.headers['x-signature'] ?? '', values);
      return good ? undefined : badSignature('invalid signature');
    },
  },
  {
    name: 'signature-time',
    refuse: ({ exchange: { settings, record, world } }) => {
      if (!settings.checkSignature) return undefined;
      const distance = Math.abs(signatureBucket(Number(record.query['timestamp'])) - signatureBucket(world.nowMs()));
      return distance <= settings.bucketTolerance ? undefined : badSignature('timestamp out of range');
    },
  },
  {
    name: 'user-id',
    refuse: ({ exchange: { settings, record, identity } }) =>
      settings.checkUserId && identity && record.query['user_id'] !== identity.userId
        ? badSignature('user_id mismatch')
        : undefined,
  },
  {
    name: 'model',
    refuse: ({ exchange: { settings }, body }) => {
      const known = (settings.models ?? builtInModels).some(
        (model) => model.id === body?.model && model.inactive !== true,
      );
      return settings.checkModel && !known ? { inStream: 'model-not-found' } : undefined;
    },
  },
  {
    name: 'level',
    refuse: ({ exchange: { settings, identity }, body }) =>
      identity?.role === 'guest' && settings.guestModels && !settings.guestModels.includes(body?.model ?? '')
        ? { inStream: 'level' }
        : undefined,
  },
  {
    name: 'verification',
    refuse: ({ exchange: { settings, identity }, body }) => {
      const { requireVerification } = settings;
      const demanded = requireVerification === true || (requireVerification === 'guests' && identity?.role === 'guest');
      const proof = body?.captcha_verify_param;
      // An empty proof trips the gate even when none was wanted (protocol 4.6); no proof is a good one here.
      if (demanded && proof !== undefined && proof !== '') return { inStream: 'challenge-failed' };
      return demanded || proof === '' ? { inStream: 'challenge' } : undefined;
    },
  },
  {
    name: 'concurrency',
    refuse: ({ exchange: { settings, identity, world } }) =>
      settings.checkConcurrency && identity && world.streams.running(identity.userId) >= settings.perTokenConcurrency
        ? { inStream: 'concurrency' }
        : undefined,
  },
  {
    name: 'capacity',
    refuse: ({ exchange: { settings, world } }) =>
      settings.capacity !== null && world.streams.total() >= settings.capacity ? { inStream: 'model-busy' } : undefined,
  },
  {
    name: 'tools',
    refuse: ({ exchange: { settings }, body }) =>
      settings.toolsInBody === 'error' && body?.tools !== undefined ? { inStream: 'internal' } : undefined,
  },
  {
    name: 'multiple-messages',
    refuse: ({ exchange: { settings }, body }) =>
      settings.multipleMessages === 'error' && (body?.messages.length ?? 0) > 1 ? { inStream: 'internal' } : undefined,
  },
  {
    name: 'files',
    refuse: ({ exchange: { settings, identity, world }, body }) => {
      if (!settings.checkFiles || !body || !identity) return undefined;
      const isOwn = (id: string): boolean => world.files.find(identity.userId, id) !== undefined;
      const good = hasMatchingFiles(body) && (body.files ?? []).every(({ id }) => isOwn(id));
      return good ? undefined : { inStream: 'internal' };
    },
  },
];

/** Every check of protocol 11 that refuses, in their order; the first one is the answer. What has no readable body is not judged further. */
export function runChecks(facts: CompletionFacts): { name: string; refusal: Refusal }[] {
  const last = facts.body ? completionChecks.length : completionChecks.findIndex(({ name }) => name === 'body') + 1;
  return completionChecks.slice(0, last).flatMap(({ name, refuse }) => {
    const refusal = refuse(facts);
    return refusal ? [{ name, refusal }] : [];
  });
}

/** True when the chat id is none of this identity's: the answer comes, with an error on its `done` frame (protocol 4.2). */
export function isUnknownChat({ exchange: { settings, identity, world }, body }: CompletionFacts): boolean {
  return (
    settings.requireChat &&
    identity !== undefined &&
    body !== undefined &&
    !world.chats.find(identity.userId, body.chat_id ?? '')
  );
}
