/** A column of values as the points of a line: of the many that fall upon one pixel, the least and the greatest. */

export interface Places {
  x: (step: number) => number;
  y: (value: number) => number;
}

/** Where to draw to; gaps are bridged, values that have no place are left out. */
export interface Pen {
  moveTo(x: number, y: number): void;
  lineTo(x: number, y: number): void;
}

export function trace(
  pen: Pen,
  steps: readonly number[],
  values: readonly (number | null)[],
  { x, y }: Places,
  [from, to]: [from: number, to: number]
): void {
  let hasBegun = false;
  const draw = (across: number, up: number): void => {
    if (hasBegun) {
      pen.lineTo(across, up);
    } else {
      pen.moveTo(across, up);
      hasBegun = true;
    }
  };
  let pixel = NaN;
  let [low, high, last] = [0, 0, 0];
  const leave = (): void => {
    if (low !== high) {
      draw(pixel, low);
      draw(pixel, high);
    }
    draw(pixel, last);
  };
  for (let index = from; index <= to; index += 1) {
    const value = values[index];
    const up = value === null || value === undefined ? NaN : y(value);
    if (!Number.isFinite(up)) {
      continue;
    }
    // Half pixels keep a curve of few points true, and gather those of many.
    const across = Math.round(x(steps[index]!) * 2) / 2;
    if (across === pixel) {
      low = up < low ? up : low;
      high = up > high ? up : high;
    } else {
      if (!Number.isNaN(pixel)) {
        leave();
      }
      [pixel, low, high] = [across, up, up];
    }
    last = up;
  }
  if (!Number.isNaN(pixel)) {
    leave();
  }
}
