/**
 * Writes the configuration table of docs/configuration.md (between its markers), .env.example, the chart's list of settings, those that
 * docker-compose.yml hands on, and the names that every process knows, from the schemas of all services.
 * With `--check` nothing is written: exit 1 when a file differs from what would be written.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { translatorProcessSettings } from '@zai2api/chat-translator';
import { gatewaySettings } from '@zai2api/gateway';
import {
  redisSettings,
  runtimeSettings,
  webUpstreamSettings,
  type SettingDescription,
  type SettingsShape,
} from '@zai2api/runtime';
import { tokenRefresherSettings } from '@zai2api/token-refresher';
import { format } from 'prettier';
import { encodeChartSettings } from './chart-settings.ts';
import { withComposeSettings } from './compose-settings.ts';

interface Variable extends SettingDescription {
  readonly name: string;
  readonly schema: SettingsShape[string];
  readonly usedBy: string[];
}

const START = '<!-- configuration:start -->';
const END = '<!-- configuration:end -->';
const PAGE = new URL('../docs/configuration.md', import.meta.url);
const ENV_EXAMPLE = new URL('../.env.example', import.meta.url);
/** Helm reads no file outside of the chart. */
const chartCopies = [
  ['../deploy/grafana/dashboard.json', '../charts/zai2api/files/dashboard.json'],
  ['../deploy/prometheus/alerts.yaml', '../charts/zai2api/files/alerts.yaml'],
] as const;
const CHART_SETTINGS = new URL('../charts/zai2api/files/settings.yaml', import.meta.url);
const SETTING_NAMES = new URL('../libs/runtime/src/config/setting-names.ts', import.meta.url);
const COMPOSE = new URL('../docker-compose.yml', import.meta.url);

/** In the order of the documentation: what people set first comes first. A variable of several services stands once. */
const sources: readonly { readonly usedBy: readonly string[]; readonly shape: SettingsShape }[] = [
  { usedBy: ['gateway'], shape: gatewaySettings },
  { usedBy: ['token-refresher'], shape: tokenRefresherSettings },
  { usedBy: ['chat-translator'], shape: without(translatorProcessSettings, runtimeSettings, webUpstreamSettings) },
  { usedBy: ['gateway', 'token-refresher'], shape: redisSettings },
  { usedBy: ['chat-translator', 'token-refresher'], shape: webUpstreamSettings },
  { usedBy: ['all'], shape: runtimeSettings },
];

function without(shape: SettingsShape, ...others: SettingsShape[]): SettingsShape {
  return Object.fromEntries(Object.entries(shape).filter(([name]) => !others.some((other) => name in other)));
}

function collectVariables(): Variable[] {
  const variables = new Map<string, Variable>();
  for (const { usedBy, shape } of sources) {
    for (const [name, schema] of Object.entries(shape)) {
      const { description, defaultText, secret = false } = schema.meta() as unknown as SettingDescription;
      const known = variables.get(name);
      if (known === undefined)
        variables.set(name, { name, schema, description, defaultText, secret, usedBy: [...usedBy] });
      else if (known.schema === schema) known.usedBy.push(...usedBy);
      else throw new Error(`${name} is declared twice: two services may disagree about it.`);
    }
  }
  return [...variables.values()];
}

async function encodeTable(variables: readonly Variable[]): Promise<string> {
  const cell = (text: string): string => text.replaceAll('|', '\\|');
  const rows = variables.map(
    ({ name, defaultText, secret, usedBy, description }) =>
      `| \`${name}\` | ${isPlain(defaultText, secret) ? `\`${cell(defaultText)}\`` : cell(defaultText)} | ${usedBy.join(', ')} | ${cell(description)} |`,
  );
  return format(['| variable | default | used by | meaning |', '|---|---|---|---|', ...rows].join('\n'), {
    parser: 'markdown',
  });
}

/** True for a default that can be typed as it is shown. */
function isPlain(defaultText: string, secret = false): boolean {
  return defaultText !== 'unset' && !secret;
}

function encodeEnvExample(variables: readonly Variable[]): string {
  const head =
    '# Every variable with its default. Written by `npm run config:docs`; copy to `.env` and change what you need.\n';
  const blocks = variables.map(({ name, description, defaultText, secret, usedBy }) => {
    const value = isPlain(defaultText, secret) ? defaultText : '';
    return `# ${description} (${usedBy.join(', ')})\n# ${name}=${value.includes(' ') ? `"${value}"` : value}\n`;
  });
  return [head, ...blocks].join('\n');
}

/** A service cannot import the settings of another one, and still has to tell them from typing errors. */
async function encodeSettingNames(variables: readonly Variable[]): Promise<string> {
  const names = variables.map(({ name }) => name).filter((name) => name.startsWith('ZAI_'));
  const head = `/** The \`ZAI_\` variables of all services. Written by \`npm run config:docs\` from their settings. */\n`;
  const text = `${head}export const settingNames: ReadonlySet<string> = new Set(${JSON.stringify(names.sort())});`;
  return format(text, { parser: 'typescript', singleQuote: true, printWidth: 120 });
}

function replaceBetweenMarkers(text: string, table: string): string {
  const start = text.indexOf(START);
  const end = text.indexOf(END);
  if (start === -1 || end < start) throw new Error(`configuration.md lacks the markers ${START} and ${END}.`);
  return `${text.slice(0, start + START.length)}\n\n${table}\n${text.slice(end)}`;
}

async function readOrEmpty(file: URL): Promise<string> {
  return readFile(file, 'utf8').catch((error: unknown) => {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return '';
    throw error;
  });
}

const variables = collectVariables();
const page = await readOrEmpty(PAGE);
const compose = await readOrEmpty(COMPOSE);
const wanted: [URL, string, string][] = [
  [PAGE, page, replaceBetweenMarkers(page, await encodeTable(variables))],
  [ENV_EXAMPLE, await readOrEmpty(ENV_EXAMPLE), encodeEnvExample(variables)],
  [CHART_SETTINGS, await readOrEmpty(CHART_SETTINGS), await encodeChartSettings()],
  [SETTING_NAMES, await readOrEmpty(SETTING_NAMES), await encodeSettingNames(variables)],
  [COMPOSE, compose, withComposeSettings(compose)],
];
for (const [source, copy] of chartCopies) {
  const target = new URL(copy, import.meta.url);
  wanted.push([target, await readOrEmpty(target), await readFile(new URL(source, import.meta.url), 'utf8')]);
}
const stale = wanted.filter(([, current, next]) => current !== next);

if (process.argv.includes('--check')) {
  for (const [file] of stale)
    console.error(`${file.pathname.split('/').at(-1) ?? ''} is out of date: run npm run config:docs`);
  process.exitCode = stale.length === 0 ? 0 : 1;
} else {
  await Promise.all(stale.map(([file, , next]) => writeFile(file, next)));
  console.log(
    stale.length === 0
      ? 'nothing to change'
      : `wrote ${stale.map(([file]) => file.pathname.split('/').at(-1)).join(', ')}`,
  );
}
