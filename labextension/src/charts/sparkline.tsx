/** A curve as small as a word, in the colour of the text around it. */

import { memo } from 'react';

const WIDTH = 56;
const HEIGHT = 16;
const EDGE = 1;

export interface SparklineProps {
  values: readonly (number | null)[];
  /** What it is of, for whoever does not see it. */
  label: string;
}

export const Sparkline = memo(function Sparkline({ values, label }: SparklineProps): JSX.Element {
  return (
    <svg
      className="cloudml-Sparkline"
      role="img"
      aria-label={label}
      width={WIDTH}
      height={HEIGHT}
      viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
    >
      <path d={pathOf(values)} fill="none" stroke="currentColor" strokeWidth={1.6} strokeLinejoin="round" strokeLinecap="round" />
    </svg>
  );
});

/** Commands of a path; gaps are bridged, an even line lies in the middle. */
export function pathOf(values: readonly (number | null)[]): string {
  const known = values.flatMap((value, index) => (value === null ? [] : [[index, value] as const]));
  if (known.length < 2) {
    return '';
  }
  const heights = known.map(([, value]) => value);
  const [low, high] = [Math.min(...heights), Math.max(...heights)];
  const range = high - low || 1;
  const x = (index: number): string => (EDGE + (index * (WIDTH - 2 * EDGE)) / (values.length - 1)).toFixed(1);
  const y = (value: number): string => {
    const share = high === low ? 0.5 : (value - low) / range;
    return (HEIGHT - EDGE - share * (HEIGHT - 2 * EDGE)).toFixed(1);
  };
  return 'M' + known.map(([index, value]) => `${x(index)} ${y(value)}`).join('L');
}
