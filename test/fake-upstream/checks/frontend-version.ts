const pattern = /^prod-fe-(\d+)\.(\d+)\.(\d+)$/;

function versionParts(version: string): number[] | undefined {
  return pattern.exec(version)?.slice(1).map(Number);
}

/** True when `version` is missing, unreadable or older than `current` (both like `prod-fe-1.1.98`). */
export function isStaleVersion(version: string | undefined, current: string): boolean {
  const have = versionParts(version ?? '');
  const want = versionParts(current);
  if (!have || !want) return true;
  const differs = want.findIndex((part, index) => have[index] !== part);
  return differs >= 0 && (have[differs] ?? 0) < (want[differs] ?? 0);
}
