/** Tells once when a job has ended, with the way to its cell. */

import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { Notification } from '@jupyterlab/apputils';
import type { JobDocument } from '../documents/generated';
import { IJobStore } from '../tokens/job_store';
import { elapsedWords, figure } from '../wording';
import { mainMetric } from '../panel/jobs/job_line';
import { IJobActions } from '../tokens/actions';
import { IPreferences } from '../tokens/preferences';

const SHOWN_MS = 10_000;

export const notificationsPlugin: JupyterFrontEndPlugin<void> = {
  id: 'cloudml-magic:notifications',
  description: 'Tells when a job has ended.',
  autoStart: true,
  requires: [IJobStore, IJobActions, IPreferences],
  activate: (_: JupyterFrontEnd, store: IJobStore, actions: IJobActions, preferences: IPreferences) => {
    tellEnds(store, actions, preferences, Date.now() / 1000);
  }
};

/** `since` is when this page was loaded: what ended before is old news. */
export function tellEnds(store: IJobStore, actions: IJobActions, preferences: IPreferences, since: number): void {
  const told = new Set<string>();
  store.ended.connect((_, job) => {
    const isNews = (job.ended ?? Infinity) + store.clockOffset >= since && !told.has(job.id);
    told.add(job.id);
    if (isNews && isWanted(job, preferences)) {
      tell(job, actions);
    }
  });
}

function isWanted(job: JobDocument, { current }: IPreferences): boolean {
  return current.notifications === 'all' || (current.notifications === 'failures' && job.state === 'FAILED');
}

function tell(job: JobDocument, actions: IJobActions): void {
  const kind = job.state === 'SUCCEEDED' ? 'success' : job.state === 'FAILED' ? 'error' : 'info';
  Notification.emit(endWords(job), kind, {
    // A failure stays until it is read.
    autoClose: kind === 'error' ? false : SHOWN_MS,
    actions: [
      { label: 'Go to cell', callback: () => void actions.goToCell(job), displayType: 'accent' },
      { label: 'Open', callback: () => actions.open(job.id) }
    ]
  });
}

export function endWords(job: JobDocument): string {
  const took = elapsedWords(job, job.updated_at);
  if (job.state === 'FAILED') {
    return `${job.name} failed: ${job.failure?.message ?? took}`;
  }
  if (job.state === 'CANCELLED') {
    return `${job.name} was cancelled ${took}`.trim();
  }
  const metric = mainMetric(job);
  return [`${job.name} succeeded ${took}`.trim(), metric ? `${metric.name} ${figure(metric.name, metric.value)}` : '']
    .filter(Boolean)
    .join(' · ');
}
