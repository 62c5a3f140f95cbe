/** A line plot in the theme's colours: uPlot behind the few things that cards and tabs ask of it. */

import uPlot from 'uplot';
import type { Lines } from './curve_lines';
import { navigate } from './navigate';
import { colourOf, onThemeChange } from './theme';

export interface LineOptions {
  /** A card's plot is small and still; a full one has axes, and can be moved and enlarged. */
  variant: 'card' | 'full';
  /** Plots of one key show their crosshairs together. */
  syncKey?: string;
  /** The place of the step under the crosshair, or null when the pointer has gone. */
  onHover?: (index: number | null) => void;
}

interface Scale {
  isLogarithmic: boolean;
  /** The steps that the width stands for, where that is more than there are yet. */
  lastStep: number | null;
}

export class LineChart {
  constructor(
    private readonly host: HTMLElement,
    private readonly options: LineOptions
  ) {
    this.resize = new ResizeObserver(() => this.fit());
    this.resize.observe(host);
    this.unsubscribe = onThemeChange(() => this.plot?.redraw(true));
  }

  /** Draws other values; the plot is kept unless there are other lines. */
  set(data: Lines, scale: Scale): void {
    this.data = data;
    const shape = JSON.stringify([data.lines.map(line => [line.label, line.colour, line.isFaint]), scale.isLogarithmic]);
    this.lastStep = scale.lastStep;
    if (!this.plot || shape !== this.shape) {
      this.shape = shape;
      this.build(scale.isLogarithmic);
      return;
    }
    const isMoved = this.moved;
    const { min, max } = this.plot.scales['x']!;
    this.plot.batch(() => {
      this.plot!.setData(this.columns(scale.isLogarithmic), !isMoved);
      if (isMoved) {
        this.plot!.setScale('x', { min: min!, max: max! });
      }
    });
  }

  dispose(): void {
    this.resize.disconnect();
    this.unsubscribe();
    this.plot?.destroy();
    this.plot = null;
  }

  private build(isLogarithmic: boolean): void {
    this.plot?.destroy();
    this.moved = false;
    this.host.replaceChildren();
    const isFull = this.options.variant === 'full';
    this.plot = new uPlot(
      {
        ...this.size(),
        padding: isFull ? [8, 12, 0, 0] : [4, 4, 4, 0],
        legend: { show: false },
        cursor: {
          y: false,
          drag: { x: false, y: false, setScale: false },
          points: { size: 6 },
          ...(this.options.syncKey ? { sync: { key: this.options.syncKey, scales: ['x', null] } } : {})
        },
        scales: {
          x: { time: false, range: (_, min, max) => this.width(min, max) },
          y: { distr: isLogarithmic ? 3 : 1 }
        },
        axes: isFull
          ? [this.axis(28), this.axis(58)]
          : [{ show: false }, { ...this.axis(0), size: 0, ticks: { show: false }, values: () => [], splits: edges }],
        series: [{}, ...this.data.lines.map((line, index) => this.series(index, line.isDashed, line.isFaint))],
        hooks: { setCursor: [plot => this.options.onHover?.(plot.cursor.idx ?? null)] }
      },
      this.columns(isLogarithmic),
      this.host
    );
    if (isFull) {
      navigate(
        this.plot,
        this.host,
        () => (this.moved = true),
        () => (this.moved = false)
      );
    }
  }

  private series(index: number, isDashed: boolean, isFaint: boolean): uPlot.Series {
    return {
      stroke: () => colourOf(this.host, this.data.lines[index]?.colour ?? ''),
      width: isFaint ? 1 : 1.7,
      alpha: isFaint ? 0.4 : 1,
      spanGaps: true,
      points: {
        show: !isFaint,
        size: 5,
        filter: () => (isDashed && this.data.steps.length > 1 ? null : [this.data.steps.length - 1])
      },
      ...(isDashed ? { dash: [4, 3] } : {})
    };
  }

  private axis(size: number): uPlot.Axis {
    const colour = (): string => colourOf(this.host, '--cloudml-line');
    return {
      size,
      font: '11px system-ui, sans-serif',
      stroke: () => colourOf(this.host, '--cloudml-muted'),
      values: (_, splits) => splits.map(tick),
      grid: { stroke: colour, width: 1 },
      ticks: { stroke: colour, width: 1, size: 4 }
    };
  }

  /** A logarithm has no place for zero and less. */
  private columns(isLogarithmic: boolean): uPlot.AlignedData {
    const shown = (values: (number | null)[]): (number | null)[] =>
      isLogarithmic ? values.map(value => (value !== null && value > 0 ? value : null)) : values;
    return [this.data.steps, ...this.data.lines.map(line => shown(line.values))];
  }

  private width(min: number | null, max: number | null): [number, number] {
    const from = min ?? 0;
    const to = this.moved ? (max ?? 1) : Math.max(max ?? 1, this.lastStep ?? -Infinity);
    return [from, to > from ? to : from + 1];
  }

  private size(): { width: number; height: number } {
    return { width: Math.max(40, this.host.clientWidth), height: Math.max(40, this.host.clientHeight) };
  }

  private fit(): void {
    const { width, height } = this.size();
    if (this.plot && this.host.clientWidth > 0 && (this.plot.width !== width || this.plot.height !== height)) {
      this.plot.setSize({ width, height });
    }
  }

  private readonly resize: ResizeObserver;
  private readonly unsubscribe: () => void;
  private plot: uPlot | null = null;
  private data: Lines = { steps: [], lines: [] };
  private shape = '';
  private lastStep: number | null = null;
  private moved = false;
}

/** Three lines are enough for a small plot: the bottom, the middle, the top. */
function edges(_: uPlot, __: number, min: number, max: number): number[] {
  return [min, (min + max) / 2, max];
}

/** The value at a line of the grid, as short as it can be said. */
function tick(value: number | null): string {
  if (value === null) {
    return '';
  }
  const size = Math.abs(value);
  return value && (size < 0.001 || size >= 1e6) ? value.toExponential(1) : String(Number(value.toPrecision(6)));
}
