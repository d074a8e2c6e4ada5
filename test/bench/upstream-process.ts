import { startFakeUpstream } from '../fake-upstream/index.ts';

/**
 * The simulator as a process of its own, quiet, with all its checks on. Only the limit of each identity is raised, as high as the load
 * asks for: the pool and its waits are not what is measured.
 */
const upstream = await startFakeUpstream({
  settings: { perTokenConcurrency: Number(process.env['BENCH_TOKEN_CONCURRENCY'] ?? 1) },
});
process.once('disconnect', () => process.exit());
process.send?.(upstream.url);
