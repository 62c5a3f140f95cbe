/** What a plot makes of numbers: lines, places, grids, and words. */

import { describe, expect, it } from 'vitest';
import { linesOfCurve, linesOfJobs, smooth } from '../src/charts/curve_lines';
import { inWords } from '../src/charts/plot';
import { nearest, rangeOf, ticksOf, tickWords } from '../src/charts/scale';
import { pathOf } from '../src/charts/sparkline';
import { trace } from '../src/charts/trace';
import { seeded } from './job_examples';

const CURVE = { name: 'loss', steps: [1, 2, 3], values: [3, null, 1], validation: [4, 3, 2] };

class PenOfTests {
  points: [number, number][] = [];
  moves = 0;
  moveTo(x: number, y: number): void {
    this.moves += 1;
    this.points.push([x, y]);
  }
  lineTo(x: number, y: number): void {
    this.points.push([x, y]);
  }
}

describe('a line', () => {
  const straight = { x: (step: number): number => step, y: (value: number): number => value };

  it('goes through every point where there are few, and over gaps', () => {
    const pen = new PenOfTests();
    trace(pen, [1, 2, 3, 4], [5, null, Number.NaN, 7], straight, [0, 3]);
    expect(pen.points).toEqual([
      [1, 5],
      [4, 7]
    ]);
    expect(pen.moves).toBe(1);
  });

  it('keeps the least and the greatest of the many on one pixel', () => {
    const random = seeded(3);
    const steps = Array.from({ length: 100_000 }, (_, index) => index);
    const values = steps.map(() => random());
    const pen = new PenOfTests();
    trace(pen, steps, values, { x: step => step / 500, y: value => value }, [0, steps.length - 1]);
    expect(pen.points.length).toBeLessThanOrEqual(3 * 2 * 201);
    const heights = pen.points.map(([, y]) => y);
    expect(Math.min(...heights)).toBe(values.reduce((one, other) => Math.min(one, other)));
    expect(Math.max(...heights)).toBe(values.reduce((one, other) => Math.max(one, other)));
    expect(pen.points.at(-1)![1]).toBe(values.at(-1));
  });

  it('draws nothing of nothing', () => {
    const pen = new PenOfTests();
    trace(pen, [], [], straight, [0, -1]);
    trace(pen, [1], [null], straight, [0, 0]);
    expect(pen.points).toEqual([]);
  });
});

describe('a scale', () => {
  it('has room around the values, and a height where all are equal', () => {
    expect(rangeOf([[0, 10]], 0, 1, false)).toEqual({ min: -0.5, max: 10.5 });
    expect(rangeOf([[2, 2]], 0, 1, false)).toEqual({ min: 1, max: 3 });
    expect(rangeOf([[0, 0]], 0, 1, false)).toEqual({ min: -1, max: 1 });
    expect(rangeOf([[null]], 0, 0, false)).toEqual({ min: 0, max: 1 });
    expect(rangeOf([[-1, 0, 100]], 0, 2, true)).toEqual({ min: 50, max: 200 });
  });

  it('has round numbers within it, never too many', () => {
    expect(ticksOf({ min: 0.1, max: 2.2 }, 5)).toEqual([0.5, 1, 1.5, 2]);
    expect(ticksOf({ min: 0.02, max: 3 }, 4, true)).toEqual([0.02, 0.05, 0.1, 0.2, 0.5, 1, 2]);
    const random = seeded(11);
    for (let round = 0; round < 500; round += 1) {
      const min = (random() - 0.5) * 10 ** (random() * 40 - 20);
      const range = { min, max: min + 10 ** (random() * 40 - 20) };
      for (const tick of range.max > range.min ? ticksOf(range, 5) : []) {
        expect(tick).toBeGreaterThanOrEqual(range.min - Math.abs(range.min) * 1e-9);
        expect(tick).toBeLessThanOrEqual(range.max + Math.abs(range.max) * 1e-9);
      }
    }
  });

  it('says its numbers shortly', () => {
    expect([0.30000000000000004, 1200, 1e-5, 2.5e7, 0].map(tickWords)).toEqual(['0.3', '1200', '1.0e-5', '2.5e+7', '0']);
  });

  it('finds the nearest step', () => {
    const steps = [1, 2, 4, 8];
    expect([-5, 1.4, 1.6, 5.9, 6.1, 99].map(step => nearest(steps, step))).toEqual([0, 0, 1, 2, 3, 3]);
    expect(nearest([], 3)).toBe(0);
  });
});

describe('curves as lines', () => {
  it('are train and validation, and faint behind where smoothed', () => {
    expect(linesOfCurve(CURVE).lines.map(line => [line.label, line.isDashed])).toEqual([
      ['train', false],
      ['validation', true]
    ]);
    expect(linesOfCurve(CURVE, 0.5).lines.map(line => line.isFaint)).toEqual([true, false, true, false]);
  });

  it('are smoothed without a bias at the beginning', () => {
    expect(smooth([2, 2, null, 2], 0.9)).toEqual([2, expect.closeTo(2), null, expect.closeTo(2)]);
    expect(smooth([0, 1], 0.5)[1]).toBeCloseTo(2 / 3);
  });

  it('of several jobs share their steps', () => {
    const other = { name: 'loss', steps: [2, 5], values: [1, 2], validation: null };
    const { steps, lines } = linesOfJobs([
      { name: 'a', curve: CURVE, colour: 'c1' },
      { name: 'b', curve: other, colour: 'c2' }
    ]);
    expect(steps).toEqual([1, 2, 3, 5]);
    expect(lines.map(line => line.values)).toEqual([
      [3, null, 1, null],
      [4, 3, 2, null],
      [null, 1, null, 2]
    ]);
  });

  it('are told in words', () => {
    expect(inWords('loss', linesOfCurve(CURVE))).toBe('loss: 3 points, at last train 1.000, validation 2.000.');
  });
});

describe('a sparkline', () => {
  it('fills its box, and bridges gaps', () => {
    expect(pathOf([0, null, 1])).toBe('M1.0 15.0L55.0 1.0');
    expect(pathOf([3, 3])).toBe('M1.0 8.0L55.0 8.0');
    expect(pathOf([1])).toBe('');
  });
});
