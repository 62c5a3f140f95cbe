/** Moving and enlarging a plot: wheel, drag and double click, or the arrow, plus, minus and zero keys. */

import type { Range } from './scale';

export interface Navigable {
  readonly view: Range;
  readonly whole: Range;
  show(view: Range | null): void;
  shareAt(clientX: number): number;
}

const STEP = 1.25;
const KEY_MOVE = 0.1;

export function navigate(plot: Navigable, host: HTMLElement): void {
  const show = (min: number, max: number): void => {
    const { min: first, max: last } = plot.whole;
    const width = Math.min(max - min, last - first);
    const from = Math.min(Math.max(min, first), last - width);
    plot.show({ min: from, max: from + width });
  };
  /** Enlarges about a place, given as a share of the width. */
  const zoom = (factor: number, share: number): void => {
    const { min, max } = plot.view;
    const centre = min + (max - min) * share;
    show(centre - (centre - min) * factor, centre + (max - centre) * factor);
  };
  const move = (share: number): void => {
    const { min, max } = plot.view;
    show(min + (max - min) * share, max + (max - min) * share);
  };
  const onWheel = (event: WheelEvent): void => {
    // A wheel alone scrolls the page, as everywhere, until the plot has been clicked.
    if (event.ctrlKey || event.metaKey || event.shiftKey || document.activeElement === host) {
      event.preventDefault();
      zoom((event.deltaY || event.deltaX) < 0 ? 1 / STEP : STEP, plot.shareAt(event.clientX));
    }
  };
  host.addEventListener('wheel', onWheel, { passive: false });
  host.addEventListener('pointerdown', event => {
    if (event.button !== 0) {
      return;
    }
    let before = plot.shareAt(event.clientX);
    host.setPointerCapture(event.pointerId);
    const follow = (moved: PointerEvent): void => {
      const now = plot.shareAt(moved.clientX);
      move(before - now);
      before = now;
    };
    host.addEventListener('pointermove', follow);
    host.addEventListener('lostpointercapture', () => host.removeEventListener('pointermove', follow), { once: true });
  });
  host.addEventListener('dblclick', () => plot.show(null));
  host.onkeydown = event => {
    const act = {
      ArrowLeft: () => move(-KEY_MOVE),
      ArrowRight: () => move(KEY_MOVE),
      '+': () => zoom(1 / STEP, 0.5),
      '-': () => zoom(STEP, 0.5),
      '0': () => plot.show(null)
    }[event.key];
    if (act) {
      event.preventDefault();
      event.stopPropagation();
      act();
    }
  };
}
