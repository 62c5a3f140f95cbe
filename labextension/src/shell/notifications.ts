/** Tells when a job has ended, with the way to its cell, many that end together in one sentence; and what came to nothing. */

import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { Notification } from '@jupyterlab/apputils';
import type { JobDocument } from '../documents/generated';
import { IJobStore } from '../tokens/job_store';
import { elapsedWords, figure, stateWord } from '../wording';
import { mainMetric } from '../panel/jobs/job_line';
import { IJobActions } from '../tokens/actions';
import { COMMANDS } from '../tokens/command_ids';
import { IPreferences } from '../tokens/preferences';

const SHOWN_MS = 10_000;
/** Ends within this time are told together. */
const GATHERED_MS = 1000;
const MOST_FAILURES = 2;

export const notificationsPlugin: JupyterFrontEndPlugin<void> = {
  id: 'cloudml-magic:notifications',
  description: 'Tells when a job has ended.',
  autoStart: true,
  requires: [IJobStore, IJobActions, IPreferences],
  activate: (app: JupyterFrontEnd, store: IJobStore, actions: IJobActions, preferences: IPreferences) => {
    tellEnds(store, actions, preferences, () => void app.commands.execute(COMMANDS.openPanel, { tab: 'jobs' }));
    tellFailures(store, preferences);
  }
};

/** A deployment that was begun from a menu or the palette may fail where nothing on the screen shows it. */
export function tellFailures(store: IJobStore, preferences: IPreferences): void {
  const told = new Set<string>();
  store.operationChanged.connect((_, { id, error }) => {
    if (error && preferences.current.notifications !== 'none' && !told.has(id)) {
      told.add(id);
      Notification.emit([error.what, error.why].filter(Boolean).join(' '), 'error', { autoClose: false });
    }
  });
}

export function tellEnds(store: IJobStore, actions: IJobActions, preferences: IPreferences, openPanel: () => void): void {
  let ends: JobDocument[] = [];
  const flush = (): void => {
    const failed = ends.filter(job => job.state === 'FAILED');
    if (ends.length > 1) {
      tellSeveral(ends, failed.length > MOST_FAILURES, openPanel);
    }
    const alone = ends.length === 1 ? ends : failed.length > MOST_FAILURES ? [] : failed;
    alone.forEach(job => tell(job, actions));
    ends = [];
  };
  store.ended.connect((_, job) => {
    if (isWanted(job, preferences) && ends.push(job) === 1) {
      setTimeout(flush, GATHERED_MS);
    }
  });
}

function tellSeveral(ends: readonly JobDocument[], isError: boolean, openPanel: () => void): void {
  const counts = (['SUCCEEDED', 'FAILED', 'CANCELLED'] as const).map(state => {
    const count = ends.filter(job => job.state === state).length;
    return count ? `${count} ${stateWord(state).toLowerCase()}` : '';
  });
  Notification.emit(`${ends.length} jobs ended: ${counts.filter(Boolean).join(', ')}`, isError ? 'error' : 'info', {
    autoClose: isError ? false : SHOWN_MS,
    actions: [{ label: 'Open panel', callback: openPanel, displayType: 'accent' }]
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
