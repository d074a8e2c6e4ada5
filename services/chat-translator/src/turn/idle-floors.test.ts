import { describe, expect, it } from '@jest/globals';
import { ConfigError, parseSettings } from '@zai2api/runtime';
import { idleFloorOf, idleFloorsSetting } from './idle-floors.ts';

const shape = { ZAI_IDLE_FLOORS: idleFloorsSetting };

describe('ZAI_IDLE_FLOORS', () => {
  it('reads a list of names and seconds', () => {
    const env = { ZAI_IDLE_FLOORS: 'glm-5*=600, GLM-4.7 = 90.5,' };
    expect(parseSettings(shape, env).ZAI_IDLE_FLOORS).toEqual([
      { pattern: 'glm-5*', value: 600 },
      { pattern: 'glm-4.7', value: 90.5 },
    ]);
    expect(parseSettings(shape, {}).ZAI_IDLE_FLOORS).toEqual([]);
  });

  it('refuses what is none, item by item', () => {
    const read = (): unknown => parseSettings(shape, { ZAI_IDLE_FLOORS: 'glm-5,glm-4=1,=3,a=b' });
    expect(read).toThrow(ConfigError);
    try {
      read();
    } catch (error) {
      expect((error as ConfigError).faults).toEqual(
        ['glm-5', '=3', 'a=b'].map(
          (item) => `ZAI_IDLE_FLOORS: expected name=seconds, such as glm-5*=600, got "${item}"`,
        ),
      );
    }
  });

  it.each(['x', 'x=', '=1', 'x=-1', 'x=1s', 'x y=1', 'x=86401', 'x=1e9'])('takes %j for no floor', (item) => {
    expect(() => parseSettings(shape, { ZAI_IDLE_FLOORS: item })).toThrow(`got "${item}"`);
  });
});

describe('idleFloorOf', () => {
  const floorOf = (pattern: string, ...names: string[]): number => idleFloorOf([{ pattern, value: 9 }], names);

  it.each([
    ['glm-5*', 'GLM-5.3-flash', true],
    ['glm-5*', 'glm-5', true],
    ['glm-5*', 'xglm-5', false],
    ['glm-5', 'glm-5.3', false],
    ['*', 'anything', true],
    ['*flash', 'glm-5-flash', true],
    ['*flash', 'glm-5-flash-2', false],
    ['glm*5*flash', 'glm-4.5-air-flash', true],
    ['glm*5*flash', 'glm-4-flash', false],
    ['aba*aba', 'aba', false],
    ['a*a', 'aa', true],
    ['a.c', 'abc', false],
  ])('%s and %s: %s', (pattern, name, fits) => {
    expect(floorOf(pattern, name)).toBe(fits ? 9 : 0);
  });

  it('takes the highest of those that fit any of the names', () => {
    const floors = [
      { pattern: '*', value: 10 },
      { pattern: 'glm-5*', value: 600 },
      { pattern: 'glm-4*', value: 900 },
    ];
    expect(idleFloorOf(floors, ['glm-5', 'upstream-id'])).toBe(600);
    expect(idleFloorOf(floors, ['x', 'glm-4.7'])).toBe(900);
    expect(idleFloorOf([], ['x'])).toBe(0);
  });

  it('takes no time for hostile patterns', () => {
    const startedAtMs = performance.now();
    idleFloorOf([{ pattern: '*a'.repeat(2_000), value: 1 }], ['a'.repeat(10_000) + 'b']);
    expect(performance.now() - startedAtMs).toBeLessThan(5_000);
  });
});
