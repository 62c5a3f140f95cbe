/** A line plot on a canvas, in the theme's colours: still and small in a card, to be moved and enlarged in a tab. */

import { join, pointAll } from './crosshair';
import type { Line, Lines } from './curve_lines';
import { navigate } from './navigate';
import { nearest, placeOf, rangeOf, ticksOf, tickWords, type Range } from './scale';
import { colourOf, onThemeChange } from './theme';
import { trace, type Places } from './trace';

export interface LineOptions {
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

interface Box {
  left: number;
  top: number;
  width: number;
  height: number;
}

const EDGES = { card: { left: 0, right: 4, top: 4, bottom: 4 }, full: { left: 52, right: 10, top: 6, bottom: 22 } };
const FONT = '11px system-ui, sans-serif';
let keys = 0;

export class LineChart {
  constructor(
    private readonly host: HTMLElement,
    private readonly options: LineOptions
  ) {
    this.#cursor.className = 'cloudml-Plot-cursor';
    this.#cursor.hidden = true;
    host.replaceChildren(this.#canvas, this.#cursor);
    this.#key = options.syncKey ?? `plot ${(keys += 1)}`;
    this.#undo.push(join(this.#key, this));
    this.#undo.push(onThemeChange(() => this.#repaint()));
    const resize = new ResizeObserver(() => this.#fit());
    resize.observe(host);
    this.#undo.push(() => resize.disconnect());
    host.addEventListener('pointermove', event => this.#follow(event));
    host.addEventListener('pointerleave', () => pointAll(this.#key, null));
    if (options.variant === 'full') {
      navigate(this, host);
    }
    this.#fit();
  }

  /** Draws other values; what was moved to stays in view. */
  set(data: Lines, scale: Scale): void {
    this.#data = data;
    this.#scale = scale;
    this.#draw();
  }

  /** The steps in view. */
  get view(): Range {
    return this.#moved ?? this.whole;
  }

  get whole(): Range {
    const { steps } = this.#data;
    const min = steps[0] ?? 0;
    const max = Math.max(steps.at(-1) ?? 1, this.#moved ? -Infinity : (this.#scale.lastStep ?? -Infinity));
    return { min, max: max > min ? max : min + 1 };
  }

  /** Brings other steps into view, or all of them for null; drawn with the next frame. */
  show(view: Range | null): void {
    this.#moved = view;
    this.#frame ||= requestAnimationFrame(() => this.#draw());
  }

  /** Where a pointer stands across the plot, from 0 to 1. */
  shareAt(clientX: number): number {
    const box = this.#box();
    return (clientX - this.host.getBoundingClientRect().left - box.left) / box.width;
  }

  point(step: number | null): void {
    const { steps } = this.#data;
    const isIn = step !== null && steps.length > 0;
    const index = isIn ? nearest(steps, step) : null;
    this.#cursor.hidden = index === null;
    if (index !== null) {
      const box = this.#box();
      const across = this.#across(steps[index]!, box);
      this.#cursor.hidden = across < box.left || across > box.left + box.width;
      this.#cursor.style.transform = `translateX(${across}px)`;
    }
    this.options.onHover?.(index);
  }

  dispose(): void {
    cancelAnimationFrame(this.#frame);
    this.#undo.forEach(undo => undo());
    this.host.onkeydown = null;
    this.host.replaceChildren();
  }

  #follow(event: PointerEvent): void {
    const { min, max } = this.view;
    pointAll(this.#key, min + (max - min) * this.shareAt(event.clientX));
  }

  #fit(): void {
    const { clientWidth: width, clientHeight: height } = this.host;
    const ratio = window.devicePixelRatio || 1;
    if (width && height && (width !== this.#width || height !== this.#height)) {
      [this.#width, this.#height] = [width, height];
      this.#canvas.width = Math.round(width * ratio);
      this.#canvas.height = Math.round(height * ratio);
      this.#canvas.style.width = `${width}px`;
      this.#canvas.style.height = `${height}px`;
      this.#draw();
    }
  }

  #repaint(): void {
    this.#colours.clear();
    this.#draw();
  }

  #draw(): void {
    this.#frame = 0;
    const pen = this.#canvas.getContext('2d');
    if (!pen || !this.#width) {
      return;
    }
    const ratio = this.#canvas.width / this.#width;
    pen.setTransform(ratio, 0, 0, ratio, 0, 0);
    pen.clearRect(0, 0, this.#width, this.#height);
    const { steps, lines } = this.#data;
    const box = this.#box();
    const { min, max } = this.view;
    // One more at each side, so that lines go on to the edge.
    const shown: [number, number] = [placeOf(steps, min), Math.min(steps.length - 1, placeOf(steps, max) + 1)];
    const values = lines.map(line => line.values);
    const range = rangeOf(values, shown[0], shown[1], this.#scale.isLogarithmic);
    const places = this.#places(box, range);
    this.#drawGrid(pen, box, range, places);
    pen.save();
    pen.beginPath();
    pen.rect(box.left - 1, 0, box.width + EDGES[this.options.variant].right + 1, this.#height);
    pen.clip();
    lines.forEach(line => this.#drawLine(pen, line, places, shown));
    pen.restore();
  }

  #drawLine(pen: CanvasRenderingContext2D, line: Line, places: Places, shown: [number, number]): void {
    const { steps } = this.#data;
    pen.strokeStyle = pen.fillStyle = this.#colour(line.colour);
    pen.globalAlpha = line.isFaint ? 0.4 : 1;
    pen.lineWidth = line.isFaint ? 1 : 1.7;
    pen.lineJoin = 'round';
    pen.setLineDash(line.isDashed ? [4, 3] : []);
    pen.beginPath();
    trace(pen, steps, line.values, places, shown);
    pen.stroke();
    const last = line.values.at(-1);
    if (last !== null && last !== undefined && !line.isFaint && (!line.isDashed || steps.length === 1)) {
      pen.beginPath();
      pen.arc(places.x(steps.at(-1)!), places.y(last), 2.6, 0, 7);
      pen.fill();
    }
    pen.globalAlpha = 1;
  }

  #drawGrid(pen: CanvasRenderingContext2D, box: Box, range: Range, { x, y }: Places): void {
    pen.setLineDash([]);
    pen.lineWidth = 1;
    pen.strokeStyle = this.#colour('--cloudml-line');
    pen.fillStyle = this.#colour('--cloudml-muted');
    pen.font = FONT;
    pen.beginPath();
    const across = (at: number): void => {
      pen.moveTo(box.left, Math.round(at) + 0.5);
      pen.lineTo(box.left + box.width, Math.round(at) + 0.5);
    };
    if (this.options.variant === 'card') {
      [0, 0.5, 1].forEach(share => across(box.top + box.height * share));
      pen.stroke();
      return;
    }
    pen.textBaseline = 'middle';
    pen.textAlign = 'right';
    for (const tick of ticksOf(range, box.height / 44, this.#scale.isLogarithmic)) {
      across(y(tick));
      pen.fillText(tickWords(tick), box.left - 6, y(tick));
    }
    pen.textAlign = 'center';
    for (const tick of ticksOf(this.view, box.width / 70)) {
      const at = Math.round(x(tick)) + 0.5;
      pen.moveTo(at, box.top);
      pen.lineTo(at, box.top + box.height);
      pen.fillText(tickWords(tick), at, box.top + box.height + 13);
    }
    pen.stroke();
  }

  #places(box: Box, { min, max }: Range): Places {
    const by = this.#scale.isLogarithmic ? Math.log : (value: number): number => value;
    const [low, high] = [by(min), by(max)];
    return {
      x: step => this.#across(step, box),
      y: value => box.top + box.height * (1 - (by(value) - low) / (high - low))
    };
  }

  #across(step: number, box: Box): number {
    const { min, max } = this.view;
    return box.left + (box.width * (step - min)) / (max - min);
  }

  #box(): Box {
    const { left, right, top, bottom } = EDGES[this.options.variant];
    return { left, top, width: Math.max(1, this.#width - left - right), height: Math.max(1, this.#height - top - bottom) };
  }

  #colour(property: string): string {
    const known = this.#colours.get(property) ?? colourOf(this.host, property);
    this.#colours.set(property, known);
    return known;
  }

  readonly #canvas = document.createElement('canvas');
  readonly #cursor = document.createElement('i');
  readonly #undo: (() => void)[] = [];
  readonly #colours = new Map<string, string>();
  readonly #key: string;
  #data: Lines = { steps: [], lines: [] };
  #scale: Scale = { isLogarithmic: false, lastStep: null };
  #moved: Range | null = null;
  #frame = 0;
  #width = 0;
  #height = 0;
}
