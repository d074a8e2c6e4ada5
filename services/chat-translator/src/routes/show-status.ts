import type { RequestState } from '@zai2api/runtime';
import type { ParameterizedContext } from 'koa';
import type { ModelDirectory } from '../models/model-directory.ts';
import { reportStatus } from '../status/status-report.ts';
import type { WatchedUpstream } from '../upstreams/create-upstream.ts';

/** What `GET /v1/status` reads. */
export interface ShowStatusOptions {
  readonly upstreams: readonly WatchedUpstream[];
  readonly directory: Pick<ModelDirectory, 'source'>;
  readonly now: () => number;
}

/**
 * `GET /v1/status`: how the upstream is, as this process knows it. Asks the upstream nothing, and is always 200: that the upstream fails is no
 * failure of this answer.
 */
export async function showStatus(
  ctx: ParameterizedContext<RequestState>,
  { upstreams, directory, now }: ShowStatusOptions,
): Promise<void> {
  const readings = await Promise.all(upstreams.map(({ status }) => status.read()));
  ctx.set('cache-control', 'no-store');
  ctx.body = reportStatus({
    nowMs: now(),
    drivers: upstreams.flatMap(({ name, driver, catalog }, index) => {
      const reading = readings[index];
      return reading
        ? [{ name, reading, modelSource: catalog.source(), frontendVersion: driver.frontendVersion?.() }]
        : [];
    }),
    modelSource: directory.source(),
  });
}
