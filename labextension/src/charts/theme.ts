/** Colours of the theme for what is drawn on a canvas, which no style sheet reaches. */

const FALLBACK = '#808080';

/** The value of a custom property where `element` stands. */
export function colourOf(element: Element, property: string): string {
  return getComputedStyle(element).getPropertyValue(property).trim() || FALLBACK;
}

/** One colour for each of up to eight jobs; the later ones are mixed so that they differ in light and dark. */
export const JOB_COLOURS = [1, 2, 3, 4, 5, 6, 7, 8].map(index => `--cloudml-job-${index}`);

const listeners = new Set<() => void>();
let observer: MutationObserver | null = null;

/** Calls back when JupyterLab has another theme, which it writes on the body; returns how to stop that. */
export function onThemeChange(listener: () => void): () => void {
  listeners.add(listener);
  if (!observer) {
    observer = new MutationObserver(() => requestAnimationFrame(() => listeners.forEach(each => each())));
    observer.observe(document.body, { attributes: true, attributeFilter: ['data-jp-theme-name', 'data-jp-theme-light'] });
  }
  return () => {
    listeners.delete(listener);
    if (!listeners.size) {
      observer?.disconnect();
      observer = null;
    }
  };
}
