/** What a row of the panel says of a job: one line of detail, and one figure at the right. */

import type { JobDocument } from '../../documents/generated';
import { ago, duration, elapsedSeconds, figure, money, stateWord } from '../../wording';

export interface JobLine {
  readonly detail: string;
  readonly right: string;
  /** Whether the right is a result, rather than when or in which place. */
  readonly hasFigure?: boolean;
}

/** `now` is in seconds by the server's clock. */
export function jobLine(job: JobDocument, now: number): JobLine {
  switch (job.state) {
    case 'RUNNING':
    case 'CANCELLING':
      return { detail: joined([progress(job), deviceOf(job.where), cost(job)]), right: '' };
    case 'QUEUED':
      return { detail: joined(['queued', placeOf(job.where)]), right: job.note };
    case 'PREPARING':
      return { detail: joined(['preparing', job.note || placeOf(job.where)]), right: '' };
    case 'FAILED':
      return { detail: joined(['failed', failureSpot(job) || placeOf(job.where)]), right: since(job, now) };
    case 'CANCELLED':
      return { detail: joined(['cancelled', placeOf(job.where)]), right: since(job, now) };
    case 'SUCCEEDED':
      return succeeded(job, now);
  }
}

/** The curve that people look at: the first that is no loss, else the loss. */
export function mainCurve(job: JobDocument): JobDocument['curves'][number] | undefined {
  return job.curves.find(each => !each.name.includes('loss')) ?? job.curves[0];
}

/** The main curve's last value, of its validation where there is one. */
export function mainMetric(job: JobDocument): { name: string; value: number } | null {
  const curve = mainCurve(job);
  if (!curve) {
    return null;
  }
  const validation = lastOf(curve.validation ?? []);
  if (validation !== null) {
    return { name: `val_${curve.name}`, value: validation };
  }
  const value = lastOf(curve.values);
  return value === null ? null : { name: curve.name, value };
}

function succeeded(job: JobDocument, now: number): JobLine {
  const metric = mainMetric(job);
  const seconds = elapsedSeconds(job, now);
  const took = seconds === null ? '' : duration(seconds);
  if (metric) {
    return { detail: joined([metric.name, took, placeOf(job.where)]), right: figure(metric.name, metric.value), hasFigure: true };
  }
  return { detail: joined([job.rows || 'succeeded', took, placeOf(job.where)]), right: since(job, now) };
}

function progress(job: JobDocument): string {
  if (job.state === 'CANCELLING') {
    return stateWord(job.state);
  }
  if (job.rows) {
    return job.rows;
  }
  if (job.epoch > 0) {
    return job.epochs ? `Epoch ${job.epoch} of ${job.epochs}` : `Epoch ${job.epoch}`;
  }
  return job.note || stateWord(job.state);
}

function failureSpot(job: JobDocument): string {
  const { cell, line } = job.failure ?? { cell: null, line: null };
  return cell ? (line ? `${cell}, line ${line}` : cell) : '';
}

function cost(job: JobDocument): string {
  return job.cost ? money(job.cost.amount, job.cost.currency) : '';
}

/** `this machine` of `this machine · CPU`. */
function placeOf(where: string): string {
  return where.split(' · ')[0] ?? '';
}

/** `CPU` of `this machine · CPU`; the place where nothing more is said. */
function deviceOf(where: string): string {
  return where.split(' · ').at(-1) ?? '';
}

function since(job: JobDocument, now: number): string {
  return job.ended === null ? '' : ago(now - job.ended);
}

function lastOf(values: readonly (number | null)[]): number | null {
  return values.filter(value => value !== null).at(-1) ?? null;
}

function joined(parts: readonly string[]): string {
  return parts.filter(Boolean).join(' · ');
}
