/** A store that is told what to know, for tests of what draws it. */

import type { IDisposable } from '@lumino/disposable';
import { DisposableDelegate } from '@lumino/disposable';
import { Signal } from '@lumino/signaling';
import { vi } from 'vitest';
import type { JobDocument } from '../../src/documents/generated';
import type { Api, Operation, Status } from '../../src/server/api';
import type { Health, IJobStore } from '../../src/tokens/job_store';

export class FakeStore implements IJobStore {
  readonly changed: Signal<IJobStore, ReadonlySet<string>> = new Signal<IJobStore, ReadonlySet<string>>(this);
  readonly overviewChanged: Signal<IJobStore, void> = new Signal<IJobStore, void>(this);
  readonly operationChanged: Signal<IJobStore, Operation> = new Signal<IJobStore, Operation>(this);
  readonly ended: Signal<IJobStore, JobDocument> = new Signal<IJobStore, JobDocument>(this);
  readonly operations = new Map<string, Operation>();
  readonly refresh = vi.fn(async () => {});
  readonly errand = vi.fn((_: string, act: () => Promise<void>) => void act());
  readonly follow = vi.fn((operation: Operation) => this.tellOperation(operation));
  clockOffset = 0;
  status: Status | null = STATUS;
  health: Health = { state: 'well', words: null };
  counts = { running: 1, queued: 0 };
  watched = 0;

  constructor(
    public jobs: JobDocument[] = [],
    readonly api: Api = {} as Api
  ) {}

  document(id: string): JobDocument | undefined {
    return this.jobs.find(job => job.id === id);
  }

  isWhole(): boolean {
    return true;
  }

  isUnknown(): boolean {
    return false;
  }

  watch(): IDisposable {
    return new DisposableDelegate(() => {});
  }

  watchOverview(): IDisposable {
    this.watched += 1;
    return new DisposableDelegate(() => {
      this.watched -= 1;
    });
  }

  change(id: string, part: Partial<JobDocument>): void {
    this.jobs = this.jobs.map(job => (job.id === id ? { ...job, ...part } : job));
    this.changed.emit(new Set([id]));
  }

  tellOperation(operation: Operation): void {
    this.operations.set(operation.id, operation);
    this.operationChanged.emit(operation);
  }
}

export const STATUS: Status = {
  api: 1,
  version: '0.1.0',
  session: 's',
  target: 'local',
  project: 'p',
  region: 'r',
  bucket: 'b',
  platform: { state: 'up', words: 'It runs.' },
  running: 1,
  queued: 0,
  deployed: 0,
  cost_per_hour: null,
  currency: null,
  can_tensorboard: true
};

export const NOW = 1_800_000_000;

export function job(id: string, part: Partial<JobDocument> = {}): JobDocument {
  return {
    schema: 1,
    id,
    name: `job-${id}`,
    kind: 'training',
    state: 'RUNNING',
    target: 'local',
    where: 'this machine · CPU',
    note: '',
    created: NOW - 1000 + Number(id),
    started: NOW - 900,
    ended: null,
    remaining: null,
    fraction: null,
    epoch: 13,
    epochs: 20,
    step: null,
    steps: null,
    rows: '',
    curves: [],
    log: [],
    warnings: [],
    failure: null,
    cost: null,
    artifacts: [],
    origin: { notebook: null, cell: null, cell_id: null },
    parameters: [],
    updated_at: NOW,
    ...part
  };
}

export function curve(name: string, values: number[], validation: number[] | null = null): JobDocument['curves'][number] {
  return { name, steps: values.map((_, step) => step), values, validation };
}
