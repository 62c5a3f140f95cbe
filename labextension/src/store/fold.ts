/** A document and what has changed since: the document of now. */

import type { JobDelta, JobDocument } from '../documents/generated';

type Curve = JobDocument['curves'][number];
type Point = JobDelta['points'][number];

export const MOST_POINTS = 400;
export const MOST_LINES = 200;
const MOST_CURVES = 40;
const TWIN = 'val_';

/** Leaves both as they are; what did not change is shared, so that views can tell by identity. */
export function fold(document: JobDocument, delta: JobDelta): JobDocument {
  const log = delta.log.length ? [...document.log, ...delta.log].slice(-MOST_LINES) : document.log;
  return { ...document, ...delta.set, curves: grown(document.curves, delta.points), log };
}

/** Curves with more points; thinned by every other where they have become too long. */
export function grown(curves: JobDocument['curves'], points: readonly Point[]): JobDocument['curves'] {
  if (!points.length) {
    return curves;
  }
  const drafts = new Map(curves.map(curve => [curve.name, copyOf(curve)]));
  for (const point of points) {
    for (const [name, value] of Object.entries(point.metrics)) {
      const base = name.startsWith(TWIN) ? name.slice(TWIN.length) : '';
      const isTwin = base !== '' && (Object.hasOwn(point.metrics, base) || drafts.has(base));
      if (!isTwin) {
        put(draft(drafts, name), point.step, value);
      } else {
        putTwin(draft(drafts, base), point.step, value);
      }
    }
  }
  const all = [...drafts.values()].map(thinned);
  return all.sort((one, other) => Number(other.name === 'loss') - Number(one.name === 'loss')).slice(0, MOST_CURVES);
}

function copyOf(curve: Curve): Curve {
  return { ...curve, steps: [...curve.steps], values: [...curve.values], validation: curve.validation && [...curve.validation] };
}

function draft(drafts: Map<string, Curve>, name: string): Curve {
  const curve = drafts.get(name) ?? { name, steps: [], values: [], validation: null };
  drafts.set(name, curve);
  return curve;
}

/** Makes room for a step, if it is not that of the last point; false for a step that lies before it. */
function makeRoom(curve: Curve, step: number): boolean {
  const last = curve.steps.at(-1);
  if (last !== undefined && step <= last) {
    return step === last;
  }
  curve.steps.push(step);
  curve.values.push(null);
  curve.validation?.push(null);
  return true;
}

function put(curve: Curve, step: number, value: number | null): void {
  if (makeRoom(curve, step)) {
    curve.values[curve.values.length - 1] = value;
  }
}

function putTwin(curve: Curve, step: number, value: number | null): void {
  if (makeRoom(curve, step)) {
    curve.validation ??= curve.steps.map(() => null);
    curve.validation[curve.validation.length - 1] = value;
  }
}

function thinned(curve: Curve): Curve {
  let { steps, values, validation } = curve;
  while (steps.length > MOST_POINTS) {
    const last = steps.length - 1;
    // Counted from the end, since the last value is the one that is read.
    const stays = (_: unknown, index: number): boolean => (last - index) % 2 === 0;
    steps = steps.filter(stays);
    values = values.filter(stays);
    validation = validation && validation.filter(stays);
  }
  return { name: curve.name, steps, values, validation };
}
