import { encodeErrorForPath } from '@zai2api/dialects';
import {
  assignRequestId,
  createRuntime,
  handleErrors,
  listen,
  logAccess,
  parseSettings,
  readPackageVersion,
  reportAppErrors,
  runMain,
  trustPrincipal,
  webProfileOf,
  type RequestState,
} from '@zai2api/runtime';
import { TurnError } from '@zai2api/turn';
import Koa from 'koa';
import { createChatTranslator } from './chat-translator.ts';
import { translatorProcessSettings } from './config.ts';
import { openResponseStore } from './responses/open-response-store.ts';
import { waitForStore } from './wait-for-store.ts';
import { openWebCredentials } from './web-credentials.ts';

/** For so many times of a command the start waits for a shared store. */
const STORE_WAIT_COMMANDS = 5;

await runMain(async () => {
  const settings = parseSettings(translatorProcessSettings, process.env);
  const runtime = createRuntime({ name: 'chat-translator', version: readPackageVersion(import.meta.url), settings });
  const credentials = await openWebCredentials(settings, runtime);
  if (credentials) runtime.onStop('stores', 'credentials', () => credentials.close());
  const responses = openResponseStore(settings, runtime);
  runtime.onStop('stores', 'responses', () => responses.close());
  const translator = createChatTranslator({
    settings,
    profile: webProfileOf(settings),
    runtime,
    credentials,
    responses,
    checksEvents: settings.ZAI_DEBUG_MODE,
  });

  const app = new Koa<RequestState>();
  reportAppErrors(app, runtime.logger);
  app.use(assignRequestId({ trustIncoming: true }));
  app.use(trustPrincipal());
  app.use(logAccess(runtime.logger));
  app.use(handleErrors({ encodeError: encodeErrorForPath, logger: runtime.logger }));
  app.use(translator.middleware);
  app.use((ctx) => {
    throw new TurnError('not_found', `Invalid URL (${ctx.method} ${ctx.path})`, { layer: 'client' });
  });
  const handler = app.callback();

  await runtime.run(async () => {
    if (credentials) {
      const withinMs = STORE_WAIT_COMMANDS * settings.REDIS_COMMAND_TIMEOUT * 1000;
      await waitForStore(credentials, { withinMs, signal: runtime.draining });
    }
    const server = await listen((request, response) => void handler(request, response), {
      host: settings.ZAI_TRANSLATOR_HOST,
      port: settings.ZAI_TRANSLATOR_PORT,
      draining: runtime.draining,
    });
    runtime.onStop('servers', 'translator', (deadline) => server.stop(deadline));
    runtime.logger.info({ host: server.host, port: server.port }, 'listening');
  });
});
