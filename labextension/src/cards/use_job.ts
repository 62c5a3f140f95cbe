/** What a card knows of its job: watched while it is shown, told at most five times a second. */

import { useEffect, useReducer } from 'react';
import type { JobDocument } from '../documents/generated';
import type { Operation } from '../server/api';
import type { IJobStore } from '../tokens/job_store';

const LEAST_BETWEEN = 200;

/** Calls at once, then at most every so often, the last call always. */
export function throttled(call: () => void, milliseconds: number): { call: () => void; cancel: () => void } {
  let last = -Infinity;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const run = (): void => {
    timer = undefined;
    last = Date.now();
    call();
  };
  return {
    call: () => {
      const wait = last + milliseconds - Date.now();
      if (wait <= 0 && timer === undefined) {
        run();
      } else {
        timer ??= setTimeout(run, wait);
      }
    },
    cancel: () => clearTimeout(timer)
  };
}

/** Draws anew when one of these jobs, the health or an operation has changed. */
export function useJobs(store: IJobStore, ids: readonly string[], isShown: boolean): void {
  const [, draw] = useReducer((count: number) => count + 1, 0);
  const key = ids.join();
  useEffect(() => {
    if (!isShown) {
      return;
    }
    const watched = key.split(',').filter(Boolean);
    const gate = throttled(draw, LEAST_BETWEEN);
    let health = store.health;
    let canTensorboard = store.status?.can_tensorboard;
    const onChanged = (_: unknown, changed: ReadonlySet<string>): void => {
      if (watched.some(id => changed.has(id))) {
        gate.call();
      }
    };
    const onOverview = (): void => {
      if (store.health !== health || store.status?.can_tensorboard !== canTensorboard) {
        health = store.health;
        canTensorboard = store.status?.can_tensorboard;
        gate.call();
      }
    };
    store.changed.connect(onChanged);
    store.overviewChanged.connect(onOverview);
    store.operationChanged.connect(gate.call);
    const watches = watched.map(id => store.watch(id));
    draw();
    return () => {
      gate.cancel();
      store.changed.disconnect(onChanged);
      store.overviewChanged.disconnect(onOverview);
      store.operationChanged.disconnect(gate.call);
      watches.forEach(watch => watch.dispose());
    };
  }, [store, key, isShown]);
}

/** The server's document as soon as there is one, whatever the output claims; what a brief one lacks stays as it was. */
export function confirmed(payload: JobDocument, known: JobDocument | undefined, isWhole: boolean): JobDocument {
  if (!known || isWhole) {
    return known ?? payload;
  }
  return { ...known, curves: payload.curves.length ? payload.curves : known.curves, log: payload.log };
}

/** The latest deployment of a job's model that this page knows of. */
export function deploymentOf(store: IJobStore, job: JobDocument): Operation | undefined {
  // The model may have another name than the job.
  return [...store.operations.values()].filter(operation => operation.job === job.id).at(-1);
}
