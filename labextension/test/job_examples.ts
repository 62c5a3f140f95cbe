/** A job's document, and what has changed of it, as the tests need them. */

import type { JobDelta, JobDocument } from '../src/documents/generated';

export function aJob(fields: Partial<JobDocument> = {}): JobDocument {
  return {
    schema: 1,
    id: '7',
    name: 'census',
    kind: 'training',
    state: 'RUNNING',
    target: 'local',
    where: 'this machine · CPU',
    note: '',
    created: 1000,
    started: 1005,
    ended: null,
    remaining: 180,
    fraction: 0.6,
    epoch: 3,
    epochs: 5,
    step: 41,
    steps: 95,
    rows: '',
    curves: [{ name: 'loss', steps: [1, 2], values: [0.9, 0.5], validation: [1, 0.6] }],
    log: [{ time: 1010, severity: 'INFO', text: 'epoch 2 done' }],
    warnings: [],
    failure: null,
    cost: null,
    artifacts: [],
    origin: { notebook: null, cell: null, cell_id: null },
    parameters: [],
    updated_at: 1020,
    ...fields
  };
}

export function aDelta(fields: Partial<JobDelta> = {}): JobDelta {
  return { schema: 1, session: 'one', job: '7', seq: 2, set: { updated_at: 1030 }, points: [], log: [], ...fields };
}

/** The same numbers in each run. */
export function seeded(seed: number): () => number {
  let state = seed;
  return () => (state = (state * 16807) % 2147483647) / 2147483647;
}
