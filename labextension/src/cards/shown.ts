/** Whether a node is on the screen: the notebook keeps outputs attached that are scrolled away or in another tab. */

/** Calls back with each change, a little before it scrolls into view; returns how to stop. */
export function observeShown(node: Element, onChange: (isShown: boolean) => void): () => void {
  if (typeof IntersectionObserver === 'undefined') {
    onChange(true);
    return () => undefined;
  }
  const observer = new IntersectionObserver(entries => onChange(entries.at(-1)!.isIntersecting), { rootMargin: '100px' });
  observer.observe(node);
  return () => observer.disconnect();
}
