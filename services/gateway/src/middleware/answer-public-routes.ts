import type { Middleware } from 'koa';
import type { GatewayState } from '../gateway-state.ts';

const SERVICE_NAME = 'Z.ai2api';

/** `/health`, the probes of clients and the service card at `/`, for everybody. */
export function answerPublicRoutes({ name, version }: { name: string; version: string }): Middleware<GatewayState> {
  const bodies: Readonly<Record<string, unknown>> = {
    health: { status: 'ok', service: SERVICE_NAME },
    card: {
      service: SERVICE_NAME,
      name,
      version,
      description: "OpenAI- and Anthropic-style APIs in front of Z.ai's GLM models",
      endpoints: {
        health: '/health',
        openai_chat: '/v1/chat/completions',
        openai_responses: '/v1/responses',
        openai_completions: '/v1/completions',
        openai_models: '/v1/models',
        anthropic_messages: '/v1/messages',
      },
    },
    hello: { status: 'ok' },
  };
  return (ctx, next) => {
    const { match } = ctx.state;
    if (match.kind !== 'route' || !match.route.isPublic) return next();
    ctx.body = bodies[match.route.name];
    return undefined;
  };
}
