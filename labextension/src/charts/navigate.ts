/** Moving and enlarging a plot: wheel, drag and double click, or the arrow, plus, minus and zero keys. */

import type uPlot from 'uplot';

const STEP = 1.25;
const KEY_MOVE = 0.1;

export function navigate(plot: uPlot, host: HTMLElement, onMove: () => void, onReset: () => void): void {
  const over = plot.over;

  const show = (min: number, max: number): void => {
    const steps = plot.data[0];
    const [first, last] = [steps[0] ?? 0, steps[steps.length - 1] ?? 1];
    const width = Math.min(max - min, last - first);
    if (width <= 0) {
      return;
    }
    const from = Math.min(Math.max(min, first), last - width);
    onMove();
    plot.setScale('x', { min: from, max: from + width });
  };
  const reset = (): void => {
    onReset();
    const steps = plot.data[0];
    plot.setScale('x', { min: steps[0] ?? 0, max: steps[steps.length - 1] ?? 1 });
  };
  /** Enlarges about a place, given as a share of the width. */
  const zoom = (factor: number, share: number): void => {
    const { min, max } = plot.scales['x']!;
    const centre = min! + (max! - min!) * share;
    show(centre - (centre - min!) * factor, centre + (max! - centre) * factor);
  };
  const move = (share: number): void => {
    const { min, max } = plot.scales['x']!;
    const way = (max! - min!) * share;
    show(min! + way, max! + way);
  };

  over.addEventListener(
    'wheel',
    event => {
      // A wheel alone scrolls the page, as everywhere.
      if (event.ctrlKey || event.metaKey || event.shiftKey || document.activeElement === host) {
        event.preventDefault();
        zoom((event.deltaY || event.deltaX) < 0 ? 1 / STEP : STEP, event.offsetX / over.clientWidth);
      }
    },
    { passive: false }
  );
  over.addEventListener('pointerdown', event => {
    if (event.button !== 0) {
      return;
    }
    let before = event.clientX;
    over.setPointerCapture(event.pointerId);
    const follow = (moved: PointerEvent): void => {
      move((before - moved.clientX) / over.clientWidth);
      before = moved.clientX;
    };
    over.addEventListener('pointermove', follow);
    over.addEventListener('lostpointercapture', () => over.removeEventListener('pointermove', follow), { once: true });
  });
  over.addEventListener('dblclick', reset);
  host.onkeydown = event => {
    const act = {
      ArrowLeft: () => move(-KEY_MOVE),
      ArrowRight: () => move(KEY_MOVE),
      '+': () => zoom(1 / STEP, 0.5),
      '-': () => zoom(STEP, 0.5),
      '0': reset
    }[event.key];
    if (act) {
      event.preventDefault();
      event.stopPropagation();
      act();
    }
  };
}
