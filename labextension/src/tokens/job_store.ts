/** What a page knows of its jobs: one store for all cards, the panel, the status bar and the notifications. */

import type { IDisposable } from '@lumino/disposable';
import { Token } from '@lumino/coreutils';
import type { ISignal } from '@lumino/signaling';
import type { JobDocument } from '../documents/generated';
import type { Api, Operation, Status } from '../server/api';
import type { ErrorParts } from '../server/requests';

/** How the two halves get along; `words` are for a banner, null while all is well. */
export interface Health {
  state: 'unknown' | 'well' | 'server-missing' | 'version-mismatch' | 'unreachable';
  words: ErrorParts | null;
}

export type JobCounts = Pick<Status, 'running' | 'queued'>;

export interface IJobStore {
  readonly api: Api;

  /** The latest document of a job that the server has confirmed; undefined for one it has not. */
  document(id: string): JobDocument | undefined;

  /** Whether that document has its whole log and all its curves. */
  isWhole(id: string): boolean;

  /** Those that have just come, then what the server listed, running first; brief documents unless somebody watches. */
  readonly jobs: readonly JobDocument[];

  /** Ids that the server says it does not know. */
  isUnknown(id: string): boolean;

  /** Seconds that this page's clock is ahead of the server's; what is counted up on the page takes them off. */
  readonly clockOffset: number;

  /** The one count of live jobs, for everything that says it; `status` says it too. */
  readonly counts: JobCounts;

  readonly status: Status | null;
  readonly health: Health;

  /** Operations (deploying, undeploying) that this page began or heard of, by id. */
  readonly operations: ReadonlyMap<string, Operation>;

  /** Ids of the jobs that changed, gathered: at most one emission per animation frame. */
  readonly changed: ISignal<IJobStore, ReadonlySet<string>>;

  /** The list, the status or the health changed. */
  readonly overviewChanged: ISignal<IJobStore, void>;

  readonly operationChanged: ISignal<IJobStore, Operation>;

  /** A job has ended since this page was loaded; told once for each. */
  readonly ended: ISignal<IJobStore, JobDocument>;

  /** Keeps a job's whole document up to date until disposed; what is on screen only. */
  watch(id: string): IDisposable;

  /** Keeps the list and the status up to date until disposed, even where nothing runs. */
  watchOverview(): IDisposable;

  /** Asks anew at once, also after the server half was missing. */
  refresh(): Promise<void>;

  /** Does what asks something else of the server and does not reject, within what a page may ask; waits while hidden. */
  errand(name: string, act: () => Promise<void>): void;

  /** Follows an operation that this page began, by pushes or else by asking. */
  follow(operation: Operation): void;
}

export const IJobStore = new Token<IJobStore>('cloudml-magic:IJobStore', 'The jobs of cloudml-magic, live.');
