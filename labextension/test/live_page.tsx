/** A store with the jobs that a test gives it, and actions that remember what was asked of them. */

import { Signal } from '@lumino/signaling';
import { vi } from 'vitest';
import type { JobDocument } from '../src/documents/generated';
import type { Api, Operation, Status } from '../src/server/api';
import type { IJobActions } from '../src/tokens/actions';
import type { Health, IJobStore } from '../src/tokens/job_store';

export class StoreOfTests implements IJobStore {
  constructor(...jobs: JobDocument[]) {
    jobs.forEach(job => this.documents.set(job.id, job));
  }
  readonly documents = new Map<string, JobDocument>();
  readonly unknown = new Set<string>();
  readonly brief = new Set<string>();
  readonly operations = new Map<string, Operation>();
  readonly watched: string[] = [];
  readonly changed: Signal<IJobStore, ReadonlySet<string>> = new Signal(this);
  readonly overviewChanged: Signal<IJobStore, void> = new Signal(this);
  readonly operationChanged: Signal<IJobStore, Operation> = new Signal(this);
  readonly ended: Signal<IJobStore, JobDocument> = new Signal(this);
  api = {} as Api;
  health: Health = { state: 'well', words: null };
  status: Status | null = null;
  clockOffset = 0;
  counts = { running: 0, queued: 0 };
  readonly errands = new Map<string, () => Promise<void>>();
  errand = (name: string, act: () => Promise<void>): void => {
    this.errands.set(name, act);
    queueMicrotask(() => {
      const current = this.errands.get(name);
      this.errands.delete(name);
      void current?.();
    });
  };
  refresh = vi.fn(() => Promise.resolve());
  follow = vi.fn();

  get jobs(): JobDocument[] {
    return [...this.documents.values()];
  }
  document(id: string): JobDocument | undefined {
    return this.documents.get(id);
  }
  isWhole(id: string): boolean {
    return !this.brief.has(id);
  }
  isUnknown(id: string): boolean {
    return this.unknown.has(id);
  }
  watch(id: string) {
    this.watched.push(id);
    return {
      isDisposed: false,
      dispose: () => void this.watched.splice(this.watched.indexOf(id), 1)
    };
  }
  watchOverview() {
    return { isDisposed: false, dispose: () => undefined };
  }
  tell(job: JobDocument): void {
    this.documents.set(job.id, job);
    this.changed.emit(new Set([job.id]));
  }
}

export function actionsOfTests() {
  const action = () => vi.fn(() => Promise.resolve());
  return {
    open: vi.fn(),
    openLogs: vi.fn(),
    compare: vi.fn(),
    cancel: action(),
    deploy: action(),
    tensorboard: action(),
    copyPython: action(),
    remove: action(),
    goToCell: vi.fn(() => Promise.resolve(true))
  } satisfies IJobActions;
}
