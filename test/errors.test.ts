/** What the engine's errors carry, and that they name nothing of the command line or the page. */
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { InputError, UsageError, messageWith } from '../src/errors.ts';
import { sortFrames } from '../src/image/frame.ts';

function thrown(work: () => unknown): unknown {
  try {
    work();
  } catch (error) {
    return error;
  }
  throw new Error('nothing was thrown');
}

describe('an input error', () => {
  const frame = (exposure: number) => ({ data: new Uint8Array(3), width: 1, height: 1, exposure });

  it('tells its problem, and what was found apart from the remedy', () => {
    const error = thrown(() => sortFrames([frame(2), frame(2)])) as InputError;
    const finding = 'all 2 frames have the same exposure (2)';
    expect(error).toMatchObject({
      code: 'input',
      name: 'InputError',
      problem: 'equal-exposures',
      finding,
      message: `${finding}: pass brackets of different exposure, or set the true ones`,
    });
    expect(thrown(() => sortFrames([frame(1), frame(-2)]))).toMatchObject({
      problem: 'exposure',
      message: 'frame 2: exposure is -2, it must be positive and finite: set it',
    });
    const cause = new Error('x');
    expect(new InputError('a is 1, it must be 2', { cause })).toMatchObject({
      message: 'a is 1, it must be 2',
      finding: 'a is 1, it must be 2',
      problem: undefined,
      cause,
    });
  });

  it('takes the remedy that a program has for the problem, and else keeps its own', () => {
    const error = thrown(() => sortFrames([frame(2), frame(2)]));
    expect(messageWith({ 'equal-exposures': 'turn the dial' }, error)).toBe(
      'all 2 frames have the same exposure (2): turn the dial',
    );
    expect(messageWith({ exposure: 'turn the dial' }, error)).toBe((error as Error).message);
    expect(messageWith({ exposure: 'turn the dial' }, new UsageError('what'))).toBe('what');
    expect(messageWith({}, 'text')).toBe('text');
  });
});

describe('the engine', () => {
  it('names no option and no command of the command line in what it says', () => {
    const files = readdirSync('src', { recursive: true, encoding: 'utf8' }).filter(
      (name) => name.endsWith('.ts') && !name.startsWith('node'),
    );
    expect(files.length).toBeGreaterThan(80);
    for (const file of files) {
      const code = readFileSync(join('src', file), 'utf8').replace(/\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm, '');
      expect(code, file).not.toMatch(/[\s'"`(]--[a-z]|deghost (merge|batch|align|plan|tune|evaluate|convert|info)\b/);
    }
  });
});
