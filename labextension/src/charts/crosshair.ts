/** One crosshair over several plots: those of one key show the same step. */

export interface Pointed {
  /** Shows a step, or nothing for null. */
  point(step: number | null): void;
}

const groups = new Map<string, Set<Pointed>>();

/** Joins a plot to those of its key; returns how to leave. */
export function join(key: string, plot: Pointed): () => void {
  const group = groups.get(key) ?? new Set();
  groups.set(key, group.add(plot));
  return () => {
    group.delete(plot);
    if (!group.size) {
      groups.delete(key);
    }
  };
}

export function pointAll(key: string, step: number | null): void {
  groups.get(key)?.forEach(plot => plot.point(step));
}
