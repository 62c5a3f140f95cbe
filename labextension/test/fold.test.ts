/** A document and its deltas: the document of now. */

import { describe, expect, it } from 'vitest';
import { readJob } from '../src/documents/check';
import { fold, MOST_LINES, MOST_POINTS } from '../src/store/fold';
import { aDelta, aJob, seeded } from './job_examples';

describe('a delta', () => {
  it('sets fields and leaves the document as it was', () => {
    const before = aJob();
    const after = fold(before, aDelta({ set: { state: 'SUCCEEDED', ended: 1100, updated_at: 1100 } }));
    expect(after).toEqual({ ...aJob(), state: 'SUCCEEDED', ended: 1100, updated_at: 1100 });
    expect(before).toEqual(aJob());
    expect(after.curves).toBe(before.curves);
  });

  it('lets curves grow, twins with them', () => {
    const { curves } = fold(aJob(), aDelta({ points: [{ step: 3, metrics: { val_loss: 0.4, loss: 0.3, accuracy: 0.9 } }] }));
    expect(curves).toEqual([
      { name: 'loss', steps: [1, 2, 3], values: [0.9, 0.5, 0.3], validation: [1, 0.6, 0.4] },
      { name: 'accuracy', steps: [3], values: [0.9], validation: null }
    ]);
  });

  it('takes a twin that comes later into the same step', () => {
    const first = fold(aJob(), aDelta({ points: [{ step: 3, metrics: { loss: 0.3 } }] }));
    const second = fold(first, aDelta({ points: [{ step: 3, metrics: { val_loss: 0.4 } }] }));
    expect(second.curves[0]).toEqual({ name: 'loss', steps: [1, 2, 3], values: [0.9, 0.5, 0.3], validation: [1, 0.6, 0.4] });
  });

  it('takes a metric named like a twin of nothing for a metric', () => {
    const { curves } = fold(aJob({ curves: [] }), aDelta({ points: [{ step: 1, metrics: { val_constructor: 1 } }] }));
    expect(curves.map(curve => curve.name)).toEqual(['val_constructor']);
  });

  it('keeps every document one that could have been sent, in whatever order things come', () => {
    const random = seeded(42);
    let job = aJob();
    let step = 2;
    for (let round = 0; round < 1500; round += 1) {
      step += random() < 0.9 ? 1 : -1;
      const metrics = Object.fromEntries(
        ['loss', 'val_loss', 'accuracy', 'val_accuracy']
          .filter(() => random() < 0.7)
          .map(name => [name, random() < 0.1 ? null : random()])
      );
      const log = [{ time: 2000 + round, severity: 'INFO' as const, text: `line ${round}` }];
      job = fold(job, aDelta({ points: [{ step, metrics }], log }));
      for (const { steps, values, validation } of job.curves) {
        expect(steps.length).toBeLessThanOrEqual(MOST_POINTS);
        expect(values.length).toBe(steps.length);
        expect(validation === null || validation.length === steps.length).toBe(true);
        expect(steps.every((each, index) => index === 0 || each > steps[index - 1]!)).toBe(true);
      }
    }
    expect(job.log.length).toBe(MOST_LINES);
    expect(job.log.at(-1)?.text).toBe('line 1499');
    expect(job.curves[0]!.name).toBe('loss');
    expect(readJob(job)).toEqual(job);
  });
});
