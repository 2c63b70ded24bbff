/** The response of a stack: what files say of themselves wins over what was chosen. */
import { describe, expect, it } from 'vitest';
import { stackResponse } from '../../src/image/stackResponse.ts';

const picture = (name: string, linear?: boolean) => ({
  name,
  data: new Uint16Array(3),
  format: 'tiff' as const,
  ...(linear && { linear }),
});

describe('stackResponse', () => {
  it('is the choice, or the default, where no file says that it is linear', () => {
    expect(stackResponse([picture('a'), picture('b')])).toEqual({ response: 'gamma' });
    expect(stackResponse([picture('a'), picture('b')], 'linear')).toEqual({ response: 'linear' });
  });

  it('is linear where all files are, and says so against another choice', () => {
    const images = [picture('a', true), picture('b', true)];
    expect(stackResponse(images)).toEqual({ response: 'linear' });
    expect(stackResponse(images, 'linear')).toEqual({ response: 'linear' });
    expect(stackResponse(images, 'gamma')).toEqual({
      response: 'linear',
      note: 'the files say that they are linear light (a): the response is linear, not gamma',
    });
  });

  it('is refused where some are linear', () => {
    expect(() => stackResponse([picture('a'), picture('b', true)])).toThrow(
      'b is linear light and a is gamma-encoded: export all frames in the same way',
    );
  });
});
