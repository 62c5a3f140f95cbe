/** The words that card, tab and panel say alike, and alike with the Python side: durations, figures, states, money. */

import type { JobDocument } from './documents/generated';

export type JobState = JobDocument['state'];

const STATE_WORDS: Record<JobState, string> = {
  QUEUED: 'Queued',
  PREPARING: 'Preparing',
  RUNNING: 'Running',
  SUCCEEDED: 'Succeeded',
  FAILED: 'Failed',
  CANCELLING: 'Cancelling',
  CANCELLED: 'Cancelled'
};

const SHARES = /acc|precision|recall|auc|f1|iou/;

export function stateWord(state: JobState): string {
  return STATE_WORDS[state];
}

export function isFinal(state: JobState): boolean {
  return state === 'SUCCEEDED' || state === 'FAILED' || state === 'CANCELLED';
}

/** `9 s`, `6 min 12 s`, `2 h 5 min`. */
export function duration(seconds: number): string {
  const whole = Math.floor(Math.max(0, seconds));
  if (whole < 60) {
    return `${whole} s`;
  }
  if (whole < 3600) {
    return `${Math.floor(whole / 60)} min ${whole % 60} s`;
  }
  return `${Math.floor(whole / 3600)} h ${Math.floor((whole % 3600) / 60)} min`;
}

/** `about 3 min left`, in steps that do not flicker. */
export function about(seconds: number): string {
  if (seconds < 10) {
    return 'a few seconds left';
  }
  if (seconds < 90) {
    return `about ${toEven(seconds / 5) * 5} s left`;
  }
  if (seconds < 5400) {
    return `about ${toEven(seconds / 60)} min left`;
  }
  return `about ${(seconds / 3600).toFixed(1)} h left`;
}

/** `just now`, `3 min ago`, `2 days ago`. */
export function ago(seconds: number): string {
  if (seconds < 10) {
    return 'just now';
  }
  if (seconds < 60) {
    return `${Math.floor(seconds)} s ago`;
  }
  if (seconds < 3600) {
    return `${Math.floor(seconds / 60)} min ago`;
  }
  if (seconds < 86400) {
    return `${Math.floor(seconds / 3600)} h ago`;
  }
  const days = Math.floor(seconds / 86400);
  return days === 1 ? '1 day ago' : `${days} days ago`;
}

/** A metric's value as people read it: shares in percent, the rest with three or four digits. */
export function figure(name: string, value: number | null | undefined): string {
  if (value === null || value === undefined || Number.isNaN(value)) {
    return 'nan';
  }
  if (!Number.isFinite(value)) {
    return value > 0 ? 'inf' : '-inf';
  }
  if (value >= 0 && value <= 1 && SHARES.test(name)) {
    return `${(100 * value).toFixed(1)} %`;
  }
  const size = Math.abs(value);
  if (value && (size < 0.001 || size >= 100_000)) {
    return value.toExponential(2).replace(/e([+-])(\d)$/, 'e$10$2');
  }
  return value.toFixed(size < 100 ? 3 : 1);
}

/** A class's share; what is nearly nothing is not called nothing. */
export function percent(share: number | null): string {
  if (share === null) {
    return 'nan';
  }
  return share >= 0.0005 || share <= 0 ? `${(100 * share).toFixed(1)} %` : '< 0.1 %';
}

/** `0.8 ms`, `12 ms`, `3.4 s`. */
export function latency(milliseconds: number): string {
  if (milliseconds < 10) {
    return `${milliseconds.toFixed(1)} ms`;
  }
  return milliseconds < 1000 ? `${milliseconds.toFixed(0)} ms` : `${(milliseconds / 1000).toFixed(1)} s`;
}

/** `$0.08`; a currency that the browser does not know keeps its letters. */
export function money(amount: number, currency: string): string {
  try {
    return new Intl.NumberFormat('en', { style: 'currency', currency }).format(amount);
  } catch {
    return `${amount.toFixed(2)} ${currency}`.trim();
  }
}

/** How long a job has taken at `now` (seconds, the server's clock); null before it began. */
export function elapsedSeconds(job: Pick<JobDocument, 'created' | 'started' | 'ended'>, now: number): number | null {
  const began = job.started ?? job.created;
  return began === null ? null : Math.max(0, (job.ended ?? now) - began);
}

/** `6 min 12 s` of a job that runs, `after 9 s` of one that failed. */
export function elapsedWords(job: Pick<JobDocument, 'state' | 'created' | 'started' | 'ended'>, now: number): string {
  const seconds = elapsedSeconds(job, now);
  const before = job.state === 'SUCCEEDED' ? 'in ' : job.state === 'FAILED' || job.state === 'CANCELLED' ? 'after ' : '';
  return seconds === null ? '' : before + duration(seconds);
}

/** `14:02:11`, in the user's own time zone. */
export function clock(seconds: number): string {
  const time = new Date(seconds * 1000);
  return [time.getHours(), time.getMinutes(), time.getSeconds()].map(part => String(part).padStart(2, '0')).join(':');
}

/** Halves go to the even neighbour, as Python rounds them, so that both sides say the same. */
function toEven(value: number): number {
  const floor = Math.floor(value);
  const rest = value - floor;
  return rest > 0.5 || (rest === 0.5 && floor % 2 === 1) ? floor + 1 : floor;
}
