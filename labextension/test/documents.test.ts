/** What is read of a document of unknown origin: known fields, clean text, and nothing of what is not ours. */

import { describe, expect, it } from 'vitest';
import { readDelta, readJob, readPrediction } from '../src/documents/check';
import { aDelta, aJob, seeded } from './job_examples';

const A_PREDICTION = {
  schema: 1,
  model: 'census',
  version: '2',
  where: 'this machine',
  signature: '',
  count: 1,
  milliseconds: 3,
  requests: 1,
  notes: [],
  instances: [
    {
      name: '',
      thumbnail: null,
      inputs: [{ name: 'age', text: '39', is_number: true }],
      outputs: [{ name: 'income', text: '0.2', classes: [] }]
    }
  ]
};

describe('a document', () => {
  it('is copied with what the schema knows', () => {
    expect(readJob(aJob())).toEqual(aJob());
    expect(readDelta(aDelta())).toEqual(aDelta());
    expect(readPrediction(A_PREDICTION)).toEqual(A_PREDICTION);
  });

  it('loses fields that nobody knows', () => {
    expect(readJob({ ...aJob(), onclick: 'alert(1)', href: 'javascript:alert(1)' })).toEqual(aJob());
  });

  it.each([
    ['nothing', null],
    ['a list', [aJob()]],
    ['a string', 'job'],
    ['another schema', { ...aJob(), schema: 2 }],
    ['an id that is a path', { ...aJob(), id: '../1' }],
    ['an id with a line feed', { ...aJob(), id: '1\n' }],
    ['an unknown state', { ...aJob(), state: 'BROKEN' }],
    ['a fraction of two', { ...aJob(), fraction: 2 }],
    ['half an epoch', { ...aJob(), epoch: 0.5 }],
    ['an infinite time', { ...aJob(), updated_at: Infinity }],
    ['an id that is none', { ...aJob(), id: '7; rm' }],
    ['too many lines', { ...aJob(), log: Array(201).fill(aJob().log[0]) }],
    ['an artifact twice', { ...aJob(), artifacts: ['model', 'model'] }],
    ['columns of unequal length', { ...aJob(), curves: [{ name: 'loss', steps: [1, 2], values: [1], validation: null }] }],
    ['a function', { ...aJob(), name: () => 'x' }],
    ['a hole in a list', { ...aJob(), warnings: Array(1) }]
  ])('is refused when it is %s', (_, value) => expect(readJob(value)).toBeNull());

  it('is cut where a text is too long, by characters as people count them', () => {
    const long = readJob({ ...aJob(), name: '😀'.repeat(200), log: [{ time: 1, severity: 'INFO', text: 'x\t'.repeat(3000) }] });
    expect([...long!.name]).toHaveLength(128);
    expect(long!.log[0]!.text.length).toBeLessThanOrEqual(2000);
    const whole = '😀'.repeat(128);
    expect(readJob({ ...aJob(), name: whole })!.name).toBe(whole);
  });

  it.each(Object.keys(aJob()))('is refused without %s', name => {
    const { [name as 'name']: _, ...rest } = aJob();
    expect(readJob(rest)).toBeNull();
  });

  it('does not take inherited fields for its own', () => {
    expect(readJob(Object.create(aJob()))).toBeNull();
  });

  it('pollutes no prototype', () => {
    const delta = JSON.parse(JSON.stringify(aDelta({ points: [{ step: 1, metrics: {} }] })));
    for (const key of ['__proto__', 'constructor', 'prototype']) {
      delta.points[0].metrics = JSON.parse(`{"${key}": 1}`);
      expect(readDelta(delta)).toBeNull();
    }
    const read = readJob(JSON.parse(`{"__proto__": {"isEvil": true}, ${JSON.stringify(aJob()).slice(1)}`));
    expect(read).toEqual(aJob());
    expect(({} as Record<string, unknown>)['isEvil']).toBeUndefined();
  });

  it('survives what throws when it is read', () => {
    const trap = { ...aJob() };
    Object.defineProperty(trap, 'name', {
      enumerable: true,
      get: () => {
        throw new Error('no');
      }
    });
    expect(readJob(trap)).toBeNull();
  });

  it('is refused at once however deep or long it is', () => {
    let deep: unknown = 1;
    for (let level = 0; level < 100_000; level += 1) {
      deep = [deep];
    }
    const before = performance.now();
    expect(readJob({ ...aJob(), log: deep })).toBeNull();
    expect(readJob({ ...aJob(), curves: Array(1_000_000).fill(0) })).toBeNull();
    expect(readPrediction({ ...A_PREDICTION, instances: Array(1_000_000).fill(A_PREDICTION.instances[0]) })).toBeNull();
    expect(performance.now() - before).toBeLessThan(1000);
  });

  it('shows text without colour codes, controls and marks of direction', () => {
    const name = '\u001b[31mred\u001b[0m \u202ecod.exe\u2066 \u0007bell\u200b';
    expect(readJob({ ...aJob(), name })?.name).toBe('red cod.exe bell');
    expect(readJob({ ...aJob(), name: '👩‍🔬 größer' })?.name).toBe('👩‍🔬 größer');
  });

  it('never throws, whatever it is given', () => {
    const random = seeded(7);
    const anything = (depth: number): unknown => {
      const kind = Math.floor(random() * 8);
      const some = [null, random() * 9, 'x', true, undefined, NaN][kind];
      if (depth > 4 || kind < 6) {
        return some;
      }
      return kind === 6
        ? Array.from({ length: 3 }, () => anything(depth + 1))
        : Object.fromEntries(Object.keys(aJob()).map(key => [key, anything(depth + 1)]));
    };
    for (let round = 0; round < 300; round += 1) {
      const damaged = { ...aJob(), [Object.keys(aJob())[round % 27]!]: anything(0) };
      const read = readJob(damaged);
      expect(read === null || typeof read.id === 'string').toBe(true);
    }
  });
});
