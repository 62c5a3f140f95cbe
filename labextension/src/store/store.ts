/** The one store of a page: takes pushes, asks for what is missing, tells who watches. */

import type { Event } from '@jupyterlab/services';
import type { IDisposable } from '@lumino/disposable';
import { Signal } from '@lumino/signaling';
import { readJob } from '../documents/check';
import type { JobDelta, JobDocument } from '../documents/generated';
import type { Api, JobDetails, JobList, NumberedDocument, Operation, Status } from '../server/api';
import { isFinal } from '../wording';
import { Asking } from './asking';
import { Attention } from './attention';
import { readEvent } from './events';
import { Gathering } from './gathering';
import type { Health, IJobStore, JobCounts } from '../tokens/job_store';
import { KnownJobs } from './known_jobs';
import { PageClock } from './page_clock';
import { Pulse } from './pulse';

/** Without a push for this long, while a job runs, the page asks. */
const PUSHES_SILENT = 10_000;
/** The list and the status, in case that nothing at all is pushed. */
const OVERVIEW_EVERY = 30_000;

export class JobStore implements IJobStore {
  constructor(
    readonly api: Api,
    pollSeconds: () => number
  ) {
    this.#attention = new Attention(api, isAwake => this.#wake(isAwake));
    this.#pulse = new Pulse(pollSeconds, () => this.#pollIfSilent());
    this.#asking = new Asking(api, pollSeconds, {
      details: (answer, ids) => this.#takeDetails(answer, ids),
      list: answer => this.#takeList(answer),
      operation: answer => this.#takeOperation(answer),
      recovered: () => this.#wantOverview(),
      isEngaged: () => this.#attention.hasBegun,
      health: () => this.overviewChanged.emit(),
      reachable: isReachable => this.#attention.setReachable(isReachable)
    });
  }

  readonly changed: Signal<IJobStore, ReadonlySet<string>> = new Signal(this);
  readonly overviewChanged: Signal<IJobStore, void> = new Signal(this);
  readonly operationChanged: Signal<IJobStore, Operation> = new Signal(this);
  readonly ended: Signal<IJobStore, JobDocument> = new Signal(this);
  readonly operations = new Map<string, Operation>();

  get status(): Status | null {
    return this.#status && { ...this.#status, ...this.counts };
  }

  get counts(): JobCounts {
    const { jobs } = this;
    const live = jobs.filter(isGoing);
    // Running jobs are listed first: a cut list lacks some only where it has nothing else.
    if (this.#status && this.#hasMore && live.length === jobs.length) {
      return this.#status;
    }
    const queued = live.filter(job => job.state === 'QUEUED').length;
    return { running: live.length - queued, queued };
  }

  get health(): Health {
    return this.#asking.health;
  }

  get clockOffset(): number {
    return this.#clock.offset;
  }

  document(id: string): JobDocument | undefined {
    return this.#known.document(id);
  }

  isWhole(id: string): boolean {
    return this.#known.isWhole(id);
  }

  get jobs(): readonly JobDocument[] {
    return this.#known.listed();
  }

  isUnknown(id: string): boolean {
    return this.#known.unknown.has(id);
  }

  begin(): void {
    if (document.visibilityState === 'visible') {
      this.#wantOverview(true);
    } else {
      document.addEventListener('visibilitychange', () => this.begin(), { once: true });
    }
  }

  errand(name: string, act: () => Promise<void>): void {
    this.#asking.errand(name, act);
  }

  watch(id: string): IDisposable {
    this.#attention.begin();
    this.#watched.set(id, (this.#watched.get(id) ?? 0) + 1);
    this.#want(id);
    return once(() => {
      const count = (this.#watched.get(id) ?? 1) - 1;
      if (count) {
        this.#watched.set(id, count);
      } else {
        this.#watched.delete(id);
        this.#asking.drop(id);
      }
    });
  }

  watchOverview(): IDisposable {
    this.#attention.begin();
    this.#overviewWatchers += 1;
    if (this.#overviewWatchers === 1) {
      this.#wantOverview();
    }
    return once(() => {
      this.#overviewWatchers -= 1;
    });
  }

  async refresh(): Promise<void> {
    this.#asking.revive();
    this.#known.doubt();
    this.#known.unknown.clear();
    this.#attention.setReachable(true);
    this.#wantOverview(true);
    this.#wantWatched();
    await this.#asking.quiet();
  }

  follow(operation: Operation): void {
    this.#takeOperation(operation);
  }

  /** An event of Jupyter's stream, whoever sent it. */
  readonly onEvent = (_: unknown, event: Event.Emission): void => {
    const push = readEvent(event);
    if (!push) {
      return;
    }
    this.#lastPush = Date.now();
    if (this.#asking.isFailing) {
      this.#asking.revive();
    }
    this.#attention.begin();
    this.#enter(push.session);
    if (push.kind === 'delta') {
      this.#takeDelta(push.delta);
    } else if (push.kind === 'operation') {
      this.#takeOperation(push.operation);
    } else if (push.jobs.length) {
      // Without any it is a sign of life.
      push.jobs.forEach(id => this.#known.reconsider(id));
      push.jobs.forEach(id => this.#watched.has(id) && this.#want(id));
      this.#wantOverview();
    }
  };

  dispose(): void {
    this.#pulse.stop();
    this.#attention.dispose();
    this.#asking.dispose();
    Signal.clearData(this);
  }

  #takeDelta(delta: JobDelta): void {
    const before = this.#known.document(delta.job);
    const taken = this.#known.take(delta);
    if (taken === 'gap') {
      this.#want(delta.job);
    } else if (taken === 'unknown') {
      this.#known.reconsider(delta.job);
      this.#want(delta.job);
      this.#wantOverview();
    } else if (taken === 'folded') {
      this.#clock.hear(delta.set.updated_at);
      this.#tell(delta.job, before);
      if (delta.set.state && this.#overviewWatchers) {
        // What runs costs, and who looks wants to know what.
        this.#asking.list();
      }
    }
  }

  #takeOperation(operation: Operation): void {
    this.operations.set(operation.id, operation);
    this.operationChanged.emit(operation);
    if (operation.done) {
      this.#wantOverview();
    }
  }

  #tell(id: string, before: JobDocument | undefined): void {
    const now = this.#known.document(id);
    this.#gathering.add(id);
    if (!now || now.state === before?.state) {
      return;
    }
    this.#hasNews = true;
    if (isGoing(now)) {
      this.#attention.begin();
    } else if (!this.#told.has(id) && (isGoing(before) || this.#isOfThisPage(now))) {
      this.#told.add(id);
      this.ended.emit(now);
    }
  }

  /** Whether it ended since the page was loaded, by the server's clock. */
  #isOfThisPage({ ended }: JobDocument): boolean {
    return ended !== null && ended + this.clockOffset >= this.#loaded;
  }

  #takeDetails({ session, jobs, unknown }: JobDetails, ids: readonly string[]): void {
    this.#enter(session);
    jobs.forEach(job => this.#takeDocument(job, true));
    for (const id of unknown.filter(id => ids.includes(id))) {
      this.#known.forget(id);
      this.#gathering.add(id);
    }
    ids.forEach(id => this.#want(id));
  }

  #takeList({ session, jobs, status, more }: JobList): void {
    this.#status = status;
    this.#hasMore = more;
    this.#enter(session);
    jobs.forEach(job => this.#takeDocument(job, false));
    this.#known.setOrder(jobs.map(job => job.document.id));
    this.#wantWatched();
    this.overviewChanged.emit();
  }

  #takeDocument({ seq, document: told }: NumberedDocument, isWhole: boolean): void {
    const document = readJob(told);
    if (!document) {
      return;
    }
    const before = this.#known.document(document.id);
    if (this.#known.put(seq, document, isWhole)) {
      if (!isFinal(document.state)) {
        this.#clock.hear(document.updated_at);
      }
      this.#tell(document.id, before);
    }
  }

  #enter(session: string): void {
    this.#clock.hear(this.api.requests.serverTime);
    if (this.#known.enter(session)) {
      this.#wantOverview();
      this.#wantWatched();
    }
  }

  #want(id: string): void {
    const isSeen = this.#watched.has(id) || (this.#attention.hasBegun && this.#known.document(id) !== undefined);
    if (id && isSeen && this.#known.lacks(id)) {
      this.#asking.details(id);
    }
  }

  #wantWatched(): void {
    this.#watched.forEach((_, id) => this.#want(id));
  }

  #wantOverview(always = false): void {
    if (this.#attention.hasBegun || always) {
      this.#asking.list();
      this.#lastOverview = Date.now();
    }
  }

  #wake(isAwake: boolean): void {
    if (!isAwake) {
      this.#pulse.stop();
      this.#asking.sleep();
      return;
    }
    if (this.#asking.hasSlept) {
      this.#known.doubt();
      this.#wantOverview();
      this.#wantWatched();
      this.#asking.resume();
    }
    this.#lastPush = Date.now() - PUSHES_SILENT;
    this.#pulse.start();
  }

  /** Asks in steps while pushes are silent; asleep while nobody looks. */
  #pollIfSilent(): void {
    if (!this.#attention.isAwake || this.#asking.isFailing) {
      return;
    }
    if (Date.now() - this.#lastPush >= PUSHES_SILENT) {
      [...this.#watched.keys()].filter(id => isGoing(this.#known.document(id))).forEach(id => this.#asking.details(id));
      if (this.jobs.some(job => isGoing(job) && !this.#watched.has(job.id))) {
        this.#asking.list();
      }
      [...this.operations.values()].filter(operation => !operation.done).forEach(({ id }) => this.#asking.operation(id));
    }
    const isFollowed = this.#overviewWatchers > 0 || this.jobs.some(isGoing);
    if (isFollowed && Date.now() - this.#lastOverview >= OVERVIEW_EVERY) {
      this.#wantOverview();
    }
  }

  readonly #known = new KnownJobs();
  readonly #watched = new Map<string, number>();
  readonly #clock = new PageClock();
  readonly #gathering = new Gathering(ids => {
    this.changed.emit(ids);
    if (this.#hasNews) {
      this.#hasNews = false;
      this.overviewChanged.emit();
    }
  });
  readonly #attention: Attention;
  readonly #pulse: Pulse;
  readonly #asking: Asking;
  readonly #loaded = Date.now() / 1000;
  /** Those whose end was told. */
  readonly #told = new Set<string>();
  #status: Status | null = null;
  #hasMore = false;
  /** Whether a job's state has changed since that was last told. */
  #hasNews = false;
  #overviewWatchers = 0;
  #lastPush = 0;
  #lastOverview = 0;
}

function isGoing(job: JobDocument | undefined): boolean {
  return job !== undefined && !isFinal(job.state);
}

/** Ends what was begun, once however often it is asked to. */
function once(end: (() => void) | null): IDisposable {
  return {
    get isDisposed() {
      return end === null;
    },
    dispose: () => {
      end?.();
      end = null;
    }
  };
}
