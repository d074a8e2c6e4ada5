import { loadStandaloneSettings, createStandalone } from '@zai2api/standalone';
import { ConfigError } from '@zai2api/runtime';
import { startFakeUpstream } from '../test/fake-upstream/index.ts';

/** `npm run demo`: standalone in front of the fake upstream, so that everything can be tried without the network. Ends with Ctrl-C. */
const upstream = await startFakeUpstream();
try {
  const settings = loadStandaloneSettings({
    ZAI_LOG_FORMAT: 'text',
    ...process.env,
    ZAI_API_BASE: upstream.url,
    // Whatever the environment has keys for: nothing of a demo shall reach the real one.
    ZAI_UPSTREAMS: 'web',
  });
  const standalone = createStandalone(settings);
  void standalone.listening.then(({ url }) => {
    console.log(`
The demo answers from a simulated upstream (${upstream.url}). Try:

  curl -N ${url}/v1/chat/completions -H 'content-type: application/json' \\
    -d '{"model":"glm-4.7","stream":true,"messages":[{"role":"user","content":"Hello!"}]}'

Ctrl-C ends it.
`);
  });
  await standalone.run();
} catch (error) {
  if (!(error instanceof ConfigError)) throw error;
  console.error(error.message);
  process.exitCode = 78;
} finally {
  await upstream.close();
}
