import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, it } from '@jest/globals';
import ts from 'typescript';

const root = path.join(import.meta.dirname, '../..');

function sourcesOf(folder: string): string[] {
  return readdirSync(path.join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((file) => /^[^/]+\/src\/.*\.ts$/.test(file) && !file.endsWith('.test.ts'))
    .map((file) => path.join(folder, file));
}

/** The names that a file exports without saying what they promise. */
function undocumentedIn(file: string): string[] {
  const source = ts.createSourceFile(file, readFileSync(path.join(root, file), 'utf8'), ts.ScriptTarget.Latest, true);
  return source.statements
    .filter((statement) => ts.canHaveModifiers(statement) && !ts.isExportDeclaration(statement))
    .filter((statement) => ts.getModifiers(statement)?.some(({ kind }) => kind === ts.SyntaxKind.ExportKeyword))
    .filter((statement) => ts.getJSDocCommentsAndTags(statement).length === 0)
    .map((statement) => `${file}: ${statement.getText().split('\n', 1).join('')}`);
}

it('every export says what it promises', () => {
  const files = [...sourcesOf('libs'), ...sourcesOf('services')];
  expect(files.length).toBeGreaterThan(100);
  expect(files.flatMap(undocumentedIn)).toEqual([]);
});
