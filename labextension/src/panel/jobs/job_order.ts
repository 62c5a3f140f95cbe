/** Which jobs the panel lists, in which order: what runs first, then the newest; and what is searched and filtered. */

import type { JobDocument } from '../../documents/generated';
import { isFinal } from '../../wording';

export type StateFilter = 'all' | 'active' | 'SUCCEEDED' | 'FAILED' | 'CANCELLED';
export type TargetFilter = 'all' | JobDocument['target'];

export interface JobFilter {
  readonly search: string;
  readonly state: StateFilter;
  readonly target: TargetFilter;
  /** A notebook's path, or empty for all of them. */
  readonly notebook: string;
}

export const NO_FILTER: JobFilter = { search: '', state: 'all', target: 'all', notebook: '' };

export const STATE_CHOICES: readonly (readonly [StateFilter, string])[] = [
  ['all', 'Any state'],
  ['active', 'Running or queued'],
  ['SUCCEEDED', 'Succeeded'],
  ['FAILED', 'Failed'],
  ['CANCELLED', 'Cancelled']
];

export const TARGET_CHOICES: readonly (readonly [TargetFilter, string])[] = [
  ['all', 'Anywhere'],
  ['local', 'This machine'],
  ['cloud', 'Cloud']
];

/** Running and ending jobs first, then those that wait, in their turn, then the newest. */
export function ordered(jobs: readonly JobDocument[]): JobDocument[] {
  return [...jobs].sort((one, other) => rank(one) - rank(other) || turn(one) - turn(other));
}

export function filtered(jobs: readonly JobDocument[], filter: JobFilter): JobDocument[] {
  const wanted = filter.search.trim().toLocaleLowerCase();
  return jobs.filter(
    job =>
      (!wanted || searchable(job).includes(wanted)) &&
      matchesState(job, filter.state) &&
      (filter.target === 'all' || job.target === filter.target) &&
      (!filter.notebook || job.origin.notebook === filter.notebook)
  );
}

/** `failed · this machine · train.ipynb`: what is filtered besides the search, or empty. */
export function filterWords(filter: JobFilter): string {
  const label = <Name extends string>(choices: readonly (readonly [Name, string])[], name: Name) =>
    name === 'all' ? '' : (choices.find(([value]) => value === name)?.[1].toLocaleLowerCase() ?? '');
  const parts = [label(STATE_CHOICES, filter.state), label(TARGET_CHOICES, filter.target), notebookName(filter.notebook)];
  return parts.filter(Boolean).join(' · ');
}

/** The notebooks that sent these jobs, by name. */
export function notebooksOf(jobs: readonly JobDocument[]): string[] {
  const paths = new Set(jobs.map(job => job.origin.notebook ?? '').filter(Boolean));
  return [...paths].sort((one, other) => notebookName(one).localeCompare(notebookName(other)));
}

export function notebookName(path: string): string {
  return path.split('/').at(-1) ?? path;
}

function rank(job: JobDocument): number {
  return job.state === 'QUEUED' ? 1 : isFinal(job.state) ? 2 : 0;
}

function turn(job: JobDocument): number {
  return (job.state === 'QUEUED' ? 1 : -1) * (job.created ?? 0);
}

function searchable(job: JobDocument): string {
  return `${job.name} ${job.id} ${job.where} ${job.origin.notebook ?? ''}`.toLocaleLowerCase();
}

function matchesState(job: JobDocument, state: StateFilter): boolean {
  return state === 'all' || (state === 'active' ? !isFinal(job.state) : job.state === state);
}
