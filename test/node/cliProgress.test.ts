/** The progress bar and its plain lines, with a clock of our own. */
import { describe, expect, it } from 'vitest';
import { ProgressView, clock } from '../../src/node/cli/progress.ts';

function view(isTTY: boolean, columns = 80) {
  const written: string[] = [];
  const time = { ms: 0 };
  const progress = new ProgressView({ isTTY, columns, write: (text: string) => written.push(text) }, () => time.ms);
  return { progress, written, time };
}

describe('progress', () => {
  it('draws a bar with tiles and the time left on a terminal, within its width', () => {
    for (const columns of [80, 40, 12]) {
      const { progress: bar, written, time } = view(true, columns);
      bar.update({ stage: 'compile', done: 0, total: 1, fraction: 0 });
      bar.update({ stage: 'segmentation', done: 0, total: 2, fraction: 0 });
      time.ms = 30_000;
      bar.update({ stage: 'fusion', done: 1.5, total: 4, fraction: 0.25 });
      const last = written.at(-1)!.replace('\r\x1b[K', '');
      expect(last.length).toBeLessThan(columns);
      if (columns === 80) expect(last).toMatch(/^\[#+\.+\] merging 1\/4 tiles +1:30 left$/);
      if (columns === 80) expect(last.split('#').length - 1).toBe(Math.round(0.25 * (last.indexOf(']') - 1)));
      bar.clear();
      expect(written.at(-1)).toBe('\r\x1b[K');
    }
  });

  it('prints a line a stage and every ten seconds elsewhere', () => {
    const { progress: lines, written, time } = view(false);
    for (let i = 0; i <= 100; i++) {
      time.ms = i * 250;
      lines.update({ stage: 'fusion', done: i / 25, total: 4, fraction: i / 100 });
    }
    lines.clear();
    expect(written).toEqual([
      'merging 0/4 tiles\n',
      'merging 1/4 tiles, 40 %, 0:15 left\n',
      'merging 3/4 tiles, 80 %, 0:05 left\n',
    ]);
  });

  it('writes times', () => {
    expect([0, 7.4, 59.6, 3600, 3727].map(clock)).toEqual(['0:00', '0:07', '1:00', '1:00:00', '1:02:07']);
  });
});
