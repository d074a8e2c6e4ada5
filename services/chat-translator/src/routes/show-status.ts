import type { RequestState } from '@zai2api/runtime';
import type { ParameterizedContext } from 'koa';
import type { ModelCatalog } from '../models/model-catalog.ts';
import { reportStatus } from '../status/status-report.ts';
import type { UpstreamStatus } from '../status/upstream-status.ts';
import type { UpstreamDriver } from '../upstream-driver.ts';

export interface ShowStatusOptions {
  readonly driver: UpstreamDriver;
  readonly status: UpstreamStatus;
  readonly catalog: ModelCatalog;
  readonly now: () => number;
}

/**
 * `GET /v1/status`: how the upstream is, as this process knows it. Asks the upstream nothing, and is always 200: that the upstream fails is no
 * failure of this answer.
 */
export async function showStatus(
  ctx: ParameterizedContext<RequestState>,
  { driver, status, catalog, now }: ShowStatusOptions,
): Promise<void> {
  const { health, supply } = await status.read();
  ctx.set('cache-control', 'no-store');
  ctx.body = reportStatus({
    nowMs: now(),
    drivers: [{ name: driver.name, health, frontendVersion: driver.frontendVersion?.() }],
    modelSource: catalog.source(),
    supply,
  });
}
