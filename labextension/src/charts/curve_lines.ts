/** Curves as the columns that a plot draws: aligned, and smoothed where that is wished. */

import type { JobDocument } from '../documents/generated';

type Curve = JobDocument['curves'][number];

export interface Line {
  label: string;
  /** The custom property that holds its colour. */
  colour: string;
  isDashed: boolean;
  isFaint: boolean;
  values: (number | null)[];
}

export interface Lines {
  steps: number[];
  lines: Line[];
}

/** A metric: train solid, validation dashed; where smoothed, as they were faintly behind. */
export function linesOfCurve(curve: Curve, smoothing = 0): Lines {
  const pair: Line[] = [{ label: 'train', colour: '--cloudml-accent', isDashed: false, isFaint: false, values: curve.values }];
  if (curve.validation) {
    pair.push({ label: 'validation', colour: '--cloudml-validation', isDashed: true, isFaint: false, values: curve.validation });
  }
  return { steps: curve.steps, lines: pair.flatMap(line => withSmooth(line, smoothing)) };
}

/** One metric of several jobs over all their steps. */
export function linesOfJobs(jobs: readonly { name: string; curve: Curve; colour: string }[], smoothing = 0): Lines {
  const steps = [...new Set(jobs.flatMap(job => job.curve.steps))].sort((one, other) => one - other);
  const places = new Map(steps.map((step, index) => [step, index]));
  const spread = (curve: Curve, values: readonly (number | null)[]): (number | null)[] => {
    const column = Array<number | null>(steps.length).fill(null);
    curve.steps.forEach((step, index) => (column[places.get(step)!] = values[index] ?? null));
    return column;
  };
  const lines = jobs.flatMap(({ name, curve, colour }): Line[] => [
    { label: name, colour, isDashed: false, isFaint: false, values: spread(curve, curve.values) },
    ...(curve.validation
      ? [{ label: `${name} validation`, colour, isDashed: true, isFaint: false, values: spread(curve, curve.validation) }]
      : [])
  ]);
  return { steps, lines: lines.flatMap(line => withSmooth(line, smoothing)) };
}

/** The exponential mean that TensorBoard draws too: unbiased at the beginning, gaps left as they are. */
export function smooth(values: readonly (number | null)[], weight: number): (number | null)[] {
  let mean = 0;
  let count = 0;
  return values.map(value => {
    if (value === null) {
      return null;
    }
    count += 1;
    mean = mean * weight + (1 - weight) * value;
    return mean / (1 - weight ** count);
  });
}

/** The last value that is a number. */
export function lastOf(values: readonly (number | null)[]): number | null {
  for (let index = values.length - 1; index >= 0; index -= 1) {
    const value = values[index];
    if (value !== null && value !== undefined) {
      return value;
    }
  }
  return null;
}

function withSmooth(line: Line, weight: number): Line[] {
  return weight > 0
    ? [
        { ...line, isFaint: true },
        { ...line, values: smooth(line.values, weight) }
      ]
    : [line];
}
