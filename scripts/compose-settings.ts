import { chartServices } from './chart-settings.ts';

/** What docker-compose.yml sets by itself: the ports inside the containers, and how they find each other. */
const ownedByCompose: ReadonlySet<string> = new Set([
  'ZAI_HOST',
  'ZAI_PUBLISHED_HOSTS',
  'ZAI_PORT',
  'ZAI_TRANSLATOR_HOST',
  'ZAI_TRANSLATOR_PORT',
  'ZAI_TRANSLATOR_URL',
  'ZAI_ADMIN_HOST',
  'ZAI_ADMIN_PORT',
  'REDIS_URL',
]);

/**
 * docker-compose.yml with the settings that it hands on to each service between their markers, all without a value: Compose takes it from
 * the shell, `.env` or `--env-file`. Throws when a marker is missing.
 */
export function withComposeSettings(compose: string): string {
  let text = compose;
  for (const [service, shape] of Object.entries(chartServices)) {
    const start = `  # settings of ${service}: start\n`;
    const end = `  # settings of ${service}: end\n`;
    const from = text.indexOf(start);
    const to = text.indexOf(end);
    if (from === -1 || to < from) throw new Error(`docker-compose.yml lacks the markers of ${service}.`);
    const names = Object.keys(shape).filter((name) => !ownedByCompose.has(name));
    text = `${text.slice(0, from + start.length)}${names.map((name) => `  ${name}:\n`).join('')}${text.slice(to)}`;
  }
  return text;
}
