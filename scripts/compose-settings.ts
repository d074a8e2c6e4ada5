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
 * docker-compose.yml with the settings that it hands on to each service, in the block `x-SERVICE-settings`, all without a value: Compose takes
 * it from the shell, `.env` or `--env-file`. Throws when a block is missing.
 */
export function withComposeSettings(compose: string): string {
  let text = compose;
  for (const [service, shape] of Object.entries(chartServices)) {
    const head = `x-${service}-settings: &${service}-settings\n`;
    const block = new RegExp(`^${head}(?:  .*\n)*`, 'm');
    if (!block.test(text)) throw new Error(`docker-compose.yml lacks x-${service}-settings.`);
    const names = Object.keys(shape).filter((name) => !ownedByCompose.has(name));
    text = text.replace(block, `${head}${names.map((name) => `  ${name}:\n`).join('')}`);
  }
  return text;
}
