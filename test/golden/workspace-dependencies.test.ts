import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from '@jest/globals';

const root = path.join(import.meta.dirname, '../..');
const workspaces = ['libs', 'services'].flatMap((folder) =>
  readdirSync(path.join(root, folder), { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => `${folder}/${name}`),
);
const imported = /(?:from|import|import\()\s*'([@a-z][\w@./-]*)'/g;

/** The packages that the shipped sources of a workspace import. */
function importsOf(workspace: string): Set<string> {
  const folder = path.join(root, workspace, 'src');
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' });
  const shipped = files.filter((file) => file.endsWith('.ts') && !/\.(?:test|conformance)\.ts$/.test(file));
  const names = shipped
    .flatMap((file) => [...readFileSync(path.join(folder, file), 'utf8').matchAll(imported)])
    .map(([, specifier = '']) => specifier)
    .filter((specifier) => !specifier.startsWith('node:'))
    .map((specifier) => specifier.split('/', specifier.startsWith('@') ? 2 : 1).join('/'));
  return new Set(names);
}

describe('the dependencies of a workspace', () => {
  it.each(workspaces)('%s: are what it imports, no more and no less', (workspace) => {
    const manifest = JSON.parse(readFileSync(path.join(root, workspace, 'package.json'), 'utf8')) as {
      readonly dependencies?: Readonly<Record<string, string>>;
    };
    expect(Object.keys(manifest.dependencies ?? {}).sort()).toEqual([...importsOf(workspace)].sort());
  });
});
