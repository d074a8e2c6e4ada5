import { describe, expect, it } from '@jest/globals';
import { createToolNames } from './tool-names.ts';

const tool = (name: string, namespace?: string) => ({ name, namespace, kind: 'function' as const });

describe('the names of tools', () => {
  it('are the client’s own as long as nobody has taken them', () => {
    const names = createToolNames();
    expect(names.add(tool('f'))).toBe('f');
    expect(names.add(tool('f', 'a b'))).toBe('a_b__f');
    expect(names.add(tool('f', 'a.b'))).toBe('a_b__f_2');
    expect(names.add(tool('a_b__f_3'))).toBe('a_b__f_3');
    expect(names.add(tool('f', 'a:b'))).toBe('a_b__f_4');
    expect(names.find('a_b__f_2')).toEqual(tool('f', 'a.b'));
    expect(names.allNamed('f')).toEqual(['f', 'a_b__f', 'a_b__f_2', 'a_b__f_4']);
    expect(names.allNamed('g')).toEqual([]);
  });

  it('are found by namespace, then by name alone', () => {
    const names = createToolNames();
    names.add(tool('g', 'one'));
    names.add(tool('g', 'two'));
    expect(names.modelNameOf('g', 'one')).toBe('g');
    expect(names.modelNameOf('g', 'two')).toBe('two__g');
    expect(names.modelNameOf('g', undefined)).toBe('g');
    expect(names.modelNameOf('g', 'three')).toBe('g');
    expect(names.modelNameOf('h', 'one')).toBe('h');
  });

  it('do not look at all others for each one', () => {
    const names = createToolNames();
    // Takes hours otherwise. All of them would have the same name.
    for (let index = 0; index < 200_000; index += 1) {
      names.add(tool('f', String.fromCodePoint(0x10000 + index)));
    }
    for (let index = 0; index < 200_000; index += 1) {
      names.modelNameOf('f', String.fromCodePoint(0x10000 + index));
    }
    expect(new Set(names.allNamed('f')).size).toBe(200_000);
  });
});
