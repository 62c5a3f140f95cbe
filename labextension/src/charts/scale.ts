/** From values to places: the range of what is shown, round numbers within it, and where each lies. */

export interface Range {
  min: number;
  max: number;
}

type Column = readonly (number | null)[];

const ROOM = 0.05;

/** The range of the values from one place to another, with a little room; logarithms have none for zero and less. */
export function rangeOf(columns: readonly Column[], from: number, to: number, isLogarithmic: boolean): Range {
  let min = Infinity;
  let max = -Infinity;
  for (const column of columns) {
    for (let index = from; index <= to; index += 1) {
      const value = column[index];
      if (value !== null && value !== undefined && (!isLogarithmic || value > 0)) {
        min = value < min ? value : min;
        max = value > max ? value : max;
      }
    }
  }
  if (min > max) {
    return isLogarithmic ? { min: 0.1, max: 1 } : { min: 0, max: 1 };
  }
  if (isLogarithmic) {
    return min === max ? { min: min / 2, max: max * 2 } : { min: min / 1.1, max: max * 1.1 };
  }
  const room = (max - min) * ROOM || Math.abs(max) / 2 || 1;
  return { min: min - room, max: max + room };
}

/** Round numbers within a range: about so many. */
export function ticksOf({ min, max }: Range, about: number, isLogarithmic = false): number[] {
  if (isLogarithmic) {
    return logarithmicTicks(min, max, about);
  }
  const rough = (max - min) / Math.max(1, about);
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = power * ([1, 2, 5].find(factor => factor * power >= rough) ?? 10);
  const first = Math.ceil(min / step);
  const count = Math.floor(max / step) - first + 1;
  return Array.from({ length: Math.min(Math.max(count, 0), 100) }, (_, index) => (first + index) * step);
}

function logarithmicTicks(min: number, max: number, about: number): number[] {
  const [low, high] = [Math.floor(Math.log10(min)), Math.ceil(Math.log10(max))];
  const factors = high - low <= 3 ? [1, 2, 5] : [1];
  const every = Math.max(1, Math.ceil((high - low) / Math.max(1, about)));
  const powers = Array.from({ length: Math.min(high - low + 1, 700) }, (_, index) => low + index).filter(
    power => power % every === 0
  );
  return powers.flatMap(power => factors.map(factor => factor * 10 ** power)).filter(tick => tick >= min && tick <= max);
}

/** A number beside the grid, as short as it can be said. */
export function tickWords(value: number): string {
  const size = Math.abs(value);
  return value && (size < 0.001 || size >= 1e6) ? value.toExponential(1) : String(Number(value.toPrecision(6)));
}

/** The place of the last step that is not beyond `step`, found in a few looks; 0 where all are. */
export function placeOf(steps: readonly number[], step: number): number {
  let [low, high] = [0, steps.length - 1];
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (steps[middle]! <= step) {
      low = middle;
    } else {
      high = middle - 1;
    }
  }
  return low;
}

/** The place of the step nearest to `step`. */
export function nearest(steps: readonly number[], step: number): number {
  const place = placeOf(steps, step);
  const isNextNearer = place + 1 < steps.length && steps[place + 1]! - step < step - steps[place]!;
  return isNextNearer ? place + 1 : place;
}
