import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';

interface Violation {
  readonly from: string;
  readonly to: string;
  readonly rule: { readonly name: string; readonly severity: string };
}

const repository = fileURLToPath(new URL('../../', import.meta.url));
const folders = ['libs', 'services', 'test', 'scripts'];

/** The violations that the house's rules find in a tree. */
async function violationsIn(root: string): Promise<Violation[]> {
  const report = await new Promise<string>((resolve, reject) => {
    const depcruise = join(repository, 'node_modules/.bin/depcruise');
    const words = [depcruise, ...folders, '--config', '.dependency-cruiser.cjs', '--output-type', 'json'];
    execFile(process.execPath, words, { cwd: root, maxBuffer: 1e9 }, (_error, stdout, stderr) => {
      // It ends with the number of violations: only an empty report is a failure.
      if (stdout === '') reject(new Error(stderr));
      else resolve(stdout);
    });
  });
  return (JSON.parse(report) as { summary: { violations: Violation[] } }).summary.violations;
}

/** One bad import per rule: which file, what it imports, and the rule that must see it. */
const planted: readonly (readonly [string, string, string])[] = [
  ['services/gateway/src/a.ts', '../../chat-translator/src/x.ts', 'services-do-not-import-each-other'],
  ['services/chat-translator/src/a.ts', '../../standalone/src/x.ts', 'services-do-not-import-each-other'],
  ['services/chat-translator/src/b.ts', '@zai2api/gateway', 'services-do-not-import-each-other'],
  ['libs/runtime/src/d.ts', '@zai2api/credentials', 'credentials-and-runtime-import-turn-only'],
  ['libs/turn/src/c.ts', '@zai2api/dialects', 'turn-imports-nothing'],
  ['libs/credentials/src/b.ts', '@zai2api/gateway', 'libs-do-not-import-services'],
  ['libs/dialects/src/client/openai-chat/b.ts', 'node:crypto', 'pure-packages-have-no-node-builtins'],
  ['libs/dialects/src/b.ts', 'undici', 'dialects-import-turn-only'],
  ['libs/dialects/src/c.ts', '../../runtime/src/x.ts', 'dialects-import-turn-only'],
  ['libs/turn/src/a.ts', 'node:fs', 'turn-imports-nothing'],
  ['libs/turn/src/b.ts', '../../dialects/src/x.ts', 'turn-imports-nothing'],
  ['libs/dialects/src/client/openai-chat/c.ts', '../../upstream/zai-web/x.ts', 'client-dialects-do-not-know-upstreams'],
  ['libs/dialects/src/upstream/zai-web/c.ts', '../../client/openai-chat/x.ts', 'upstream-dialects-do-not-know-clients'],
  ['libs/dialects/src/client/anthropic-messages/a.ts', '../openai-chat/x.ts', 'client-dialects-do-not-know-each-other'],
  ['libs/dialects/src/upstream/zai-platform/a.ts', '../zai-web/x.ts', 'upstream-dialects-do-not-know-each-other'],
  ['libs/runtime/src/a.ts', '../../../services/gateway/src/x.ts', 'libs-do-not-import-services'],
  ['libs/credentials/src/a.ts', '../../dialects/src/x.ts', 'credentials-and-runtime-import-turn-only'],
  ['libs/runtime/src/b.ts', '../../credentials/src/x.ts', 'credentials-and-runtime-import-turn-only'],
  ['services/gateway/src/c.ts', '../../../test/support/x.ts', 'nothing-imports-tests'],
  ['services/standalone/src/b.ts', './gone.ts', 'everything-resolves'],
];
/** What must stay allowed, beside them. */
const allowed: readonly (readonly [string, string])[] = [
  ['services/standalone/src/a.ts', '../../gateway/src/x.ts'],
  ['services/gateway/src/b.ts', '@zai2api/runtime'],
  ['libs/dialects/src/client/openai-chat/a.ts', '../../../../turn/src/x.ts'],
  ['libs/runtime/src/c.ts', '../../turn/src/x.ts'],
  ['test/support/a.ts', '../../services/gateway/src/x.ts'],
];
const packages = [
  'services/gateway',
  'services/chat-translator',
  'services/standalone',
  'libs/dialects',
  'libs/turn',
  'libs/runtime',
  'libs/credentials',
];
const empty = [
  ...packages.flatMap((path) => [`${path}/src/x.ts`, `${path}/src/index.ts`]),
  'libs/dialects/src/client/openai-chat/x.ts',
  'libs/dialects/src/upstream/zai-web/x.ts',
  'test/support/x.ts',
  'scripts/x.ts',
];

describe('the arrows of the architecture', () => {
  let root: string;
  let violations: Violation[];

  async function write(path: string, text: string): Promise<void> {
    await mkdir(dirname(join(root, path)), { recursive: true });
    await writeFile(join(root, path), text);
  }

  beforeAll(async () => {
    root = await mkdtemp(join(tmpdir(), 'arrows-'));
    for (const file of ['.dependency-cruiser.cjs', 'tsconfig.base.json'])
      await cp(join(repository, file), join(root, file));
    await mkdir(join(root, 'node_modules/@zai2api'), { recursive: true });
    await symlink(join(repository, 'node_modules/undici'), join(root, 'node_modules/undici'));
    for (const path of packages) {
      await mkdir(join(root, path), { recursive: true });
      await cp(join(repository, path, 'package.json'), join(root, path, 'package.json'));
      await symlink(join(root, path), join(root, 'node_modules/@zai2api', basename(path)));
    }
    for (const path of empty) await write(path, 'export const x = 1;\n');
    for (const [path, target] of [...planted, ...allowed])
      await write(path, `import * as it from '${target}';\nexport const a = it;\n`);
    await write('libs/runtime/src/one.ts', "import { two } from './two.ts';\nexport const one = () => two;\n");
    await write('libs/runtime/src/two.ts', "import { one } from './one.ts';\nexport const two = () => one;\n");
    violations = await violationsIn(root);
  }, 60_000);
  afterAll(() => rm(root, { recursive: true, force: true }));

  it.each(planted)('%s must not import %s: %s', (from, _target, rule) => {
    const seen = violations.filter((violation) => violation.from === from && violation.rule.severity === 'error');
    expect(seen.map(({ rule: { name } }) => name)).toContain(rule);
  });

  it('no-cycles sees a cycle', () => {
    const seen = violations.filter(({ rule: { name } }) => name === 'no-cycles');
    expect(seen.map(({ from }) => from)).toContain('libs/runtime/src/one.ts');
  });

  it.each(allowed)('%s may import %s', (from) => {
    expect(violations.filter((violation) => violation.from === from)).toEqual([]);
  });

  it('hold in the tree as it is', async () => {
    expect(await violationsIn(repository)).toEqual([]);
  }, 60_000);
});
