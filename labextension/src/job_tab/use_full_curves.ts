/** Every point of a job's curves: asked for once, then grown by what the store hears. */

import { useEffect, useMemo, useState } from 'react';
import type { JobDocument } from '../documents/generated';
import type { Curve } from '../server/api';
import type { IJobStore } from '../tokens/job_store';

/** The curves of the document until all points are here. */
export function useFullCurves(store: IJobStore, id: string, job: JobDocument | undefined): readonly Curve[] {
  const [full, setFull] = useState<readonly Curve[]>([]);
  const isKnown = job !== undefined;
  useEffect(() => {
    let isGone = false;
    if (isKnown) {
      // What cannot be had in full is shown as the document has it.
      store.api.curves(id).then(
        curves => !isGone && setFull(curves),
        () => undefined
      );
    }
    return () => void (isGone = true);
  }, [store, id, isKnown, job?.state]);
  return useMemo(() => joined(full, job?.curves ?? []), [full, job?.curves]);
}

/** All points up to where they were asked for, and after that those of the document. */
export function joined(full: readonly Curve[], live: readonly Curve[]): readonly Curve[] {
  const names = [...new Set([...full, ...live].map(curve => curve.name))];
  return names.map(name => {
    const whole = full.find(curve => curve.name === name);
    const fresh = live.find(curve => curve.name === name);
    if (!whole || !fresh) {
      return (whole ?? fresh)!;
    }
    const known = whole.steps.at(-1) ?? -Infinity;
    const from = fresh.steps.findIndex(step => step > known);
    if (from < 0) {
      return whole;
    }
    const hasTwin = whole.validation !== null || fresh.validation !== null;
    const twins = (curve: Curve): (number | null)[] => curve.validation ?? curve.steps.map(() => null);
    return {
      name,
      steps: [...whole.steps, ...fresh.steps.slice(from)],
      values: [...whole.values, ...fresh.values.slice(from)],
      validation: hasTwin ? [...twins(whole), ...twins(fresh).slice(from)] : null
    };
  });
}
