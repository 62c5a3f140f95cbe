/** The one store of a page: takes pushes, asks for what is missing, tells who watches. */

import type { Event } from '@jupyterlab/services';
import type { IDisposable } from '@lumino/disposable';
import { Signal } from '@lumino/signaling';
import { readJob } from '../documents/check';
import type { JobDelta, JobDocument } from '../documents/generated';
import type { Api, NumberedDocument, Operation, Status } from '../server/api';
import { isFinal } from '../wording';
import { Attention } from './attention';
import { RequestBudget } from './budget';
import { readEvent } from './events';
import { Gathering } from './gathering';
import { healthOfAnswer, healthOfFailure } from './health';
import type { Health, IJobStore } from './job_store';
import { KnownJobs } from './known_jobs';

const MOST_IDS = 60;
/** Without a push for this long, while a job runs, the page asks. */
const PUSHES_SILENT = 10_000;
/** The list and the status, in case that nothing at all is pushed. */
const OVERVIEW_EVERY = 30_000;
const LONGEST_BACKOFF = 30_000;
const DETAILS = 'details';
const LIST = 'list';
const STATUS = 'status';

export class JobStore implements IJobStore {
  constructor(
    readonly api: Api,
    private readonly pollSeconds: () => number
  ) {
    this.#attention = new Attention(api, isAwake => this.#wake(isAwake));
  }

  readonly changed: Signal<IJobStore, ReadonlySet<string>> = new Signal(this);
  readonly overviewChanged: Signal<IJobStore, void> = new Signal(this);
  readonly operationChanged: Signal<IJobStore, Operation> = new Signal(this);
  readonly ended: Signal<IJobStore, JobDocument> = new Signal(this);
  readonly operations = new Map<string, Operation>();
  status: Status | null = null;
  health: Health = { state: 'unknown', words: null };
  clockOffset = 0;

  document(id: string): JobDocument | undefined {
    return this.#known.document(id);
  }

  get jobs(): readonly JobDocument[] {
    return this.#known.listed();
  }

  isUnknown(id: string): boolean {
    return this.#known.unknown.has(id);
  }

  watch(id: string): IDisposable {
    this.#watched.set(id, (this.#watched.get(id) ?? 0) + 1);
    this.#want(id);
    this.#countWatchers();
    return once(() => {
      const count = (this.#watched.get(id) ?? 1) - 1;
      if (count) {
        this.#watched.set(id, count);
      } else {
        this.#watched.delete(id);
        this.#wanted.delete(id);
      }
      this.#countWatchers();
    });
  }

  watchOverview(): IDisposable {
    this.#overviewWatchers += 1;
    if (this.#overviewWatchers === 1) {
      this.#wantOverview();
    }
    this.#countWatchers();
    return once(() => {
      this.#overviewWatchers -= 1;
      this.#countWatchers();
    });
  }

  async refresh(): Promise<void> {
    this.#failures = 0;
    this.#known.doubt();
    this.#known.unknown.clear();
    this.#budget.pause(0);
    this.#attention.setReachable(true);
    this.#wantOverview(true);
    this.#wantWatched();
    await this.#budget.quiet();
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
    this.#enter(push.session);
    if (push.kind === 'delta') {
      this.#takeDelta(push.delta);
    } else if (push.kind === 'operation') {
      this.#takeOperation(push.operation);
    } else {
      push.jobs.forEach(id => this.#known.reconsider(id));
      this.#wantOverview();
      push.jobs.forEach(id => this.#watched.has(id) && this.#want(id));
    }
  };

  dispose(): void {
    clearTimeout(this.#pulseTimer);
    this.#attention.dispose();
    this.#budget.dispose();
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
      this.#hearClock(delta.set.updated_at);
      this.#tell(delta.job, before);
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
    if (now && before && now.state !== before.state) {
      this.#wantStatus();
      this.overviewChanged.emit();
      if (isFinal(now.state) && !isFinal(before.state)) {
        this.ended.emit(now);
      }
    }
  }

  readonly #ask = async (need: string): Promise<void> => {
    try {
      await this.#answer(need);
      this.#failures = 0;
      this.#setHealth(healthOfAnswer(this.api.requests.serverVersion));
      this.#attention.setReachable(true);
    } catch (problem) {
      this.#failures += 1;
      const health = healthOfFailure(problem);
      if (health.state === 'server-missing') {
        this.#budget.pause(Infinity);
        this.#budget.clear();
        this.#attention.setReachable(false);
      } else {
        this.#budget.pause(this.#backoff());
        this.#budget.want(need);
        this.#budget.release();
      }
      this.#setHealth(health);
    }
  };

  async #answer(need: string): Promise<void> {
    if (need === DETAILS) {
      await this.#askDetails();
    } else if (need === LIST) {
      await this.#askList();
    } else if (need === STATUS) {
      this.status = await this.api.status();
      this.#enter(this.status.session);
      this.overviewChanged.emit();
    } else {
      this.#takeOperation(await this.api.operation(need));
    }
  }

  async #askDetails(): Promise<void> {
    const ids = [...this.#wanted].slice(0, MOST_IDS);
    if (!ids.length) {
      return;
    }
    const { session, jobs, unknown } = await this.api.details(ids);
    ids.forEach(id => this.#wanted.delete(id));
    this.#enter(session);
    jobs.forEach(job => this.#takeDocument(job, true));
    for (const id of unknown.filter(id => ids.includes(id))) {
      this.#known.forget(id);
      this.#gathering.add(id);
    }
    ids.forEach(id => this.#want(id));
    if (this.#wanted.size) {
      this.#budgetWant(DETAILS);
    }
  }

  async #askList(): Promise<void> {
    const { session, jobs } = await this.api.jobs();
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
        this.#hearClock(document.updated_at);
      }
      this.#tell(document.id, before);
    }
  }

  #enter(session: string): void {
    if (this.#known.enter(session)) {
      this.#wantOverview();
      this.#wantWatched();
    }
  }

  #want(id: string): void {
    const isSeen = this.#watched.has(id) || (this.#overviewWatchers > 0 && this.#known.document(id) !== undefined);
    if (id && isSeen && this.#known.lacks(id)) {
      this.#wanted.add(id);
      this.#budgetWant(DETAILS);
    }
  }

  #wantWatched(): void {
    this.#watched.forEach((_, id) => this.#want(id));
  }

  #wantStatus(): void {
    if (this.#overviewWatchers) {
      this.#budgetWant(STATUS);
    }
  }

  #wantOverview(always = false): void {
    if (this.#overviewWatchers || always) {
      this.#budgetWant(LIST);
      this.#budgetWant(STATUS);
      this.#lastOverview = Date.now();
    }
  }

  #budgetWant(need: string): void {
    if (document.visibilityState !== 'visible') {
      // What is wanted while nobody looks is wanted again when somebody does.
      this.#hasSlept = true;
    } else if (this.health.state !== 'server-missing' || this.#failures === 0) {
      this.#budget.want(need);
    }
  }

  #wake(isAwake: boolean): void {
    if (isAwake) {
      if (this.#hasSlept) {
        this.#known.doubt();
        this.#wantOverview();
        this.#wantWatched();
      }
      this.#lastPush = Date.now() - PUSHES_SILENT;
      this.#pulse();
    } else {
      this.#hasSlept = true;
      clearTimeout(this.#pulseTimer);
      this.#wanted.clear();
      if (this.#failures < 1) {
        this.#budget.clear();
      }
    }
  }

  /** Asks in steps while pushes are silent; asleep while nobody looks. */
  #pulse(): void {
    clearTimeout(this.#pulseTimer);
    if (!this.#attention.isAwake) {
      return;
    }
    const beat = (): void => {
      this.#pollIfSilent();
      this.#pulse();
    };
    this.#pulseTimer = setTimeout(beat, Math.max(1, this.pollSeconds()) * 1000);
  }

  #pollIfSilent(): void {
    if (this.#failures) {
      return;
    }
    if (Date.now() - this.#lastPush >= PUSHES_SILENT) {
      const going = [...this.#watched.keys()].filter(id => {
        const document = this.#known.document(id);
        return document && !isFinal(document.state);
      });
      going.forEach(id => this.#wanted.add(id));
      if (going.length) {
        this.#budget.want(DETAILS);
      }
      if (this.#overviewWatchers && this.jobs.some(job => !isFinal(job.state))) {
        this.#budget.want(LIST);
      }
      [...this.operations.values()].filter(operation => !operation.done).forEach(({ id }) => this.#budget.want(id));
    }
    if (Date.now() - this.#lastOverview >= OVERVIEW_EVERY) {
      this.#wantOverview();
    }
  }

  #hearClock(updated: number): void {
    const ahead = Date.now() / 1000 - updated;
    // The answer that took the least time on its way is nearest to the truth.
    this.clockOffset = this.#hasHeardClock ? Math.min(this.clockOffset, ahead) : ahead;
    this.#hasHeardClock = true;
  }

  #backoff(): number {
    return Math.min(LONGEST_BACKOFF, Math.max(1, this.pollSeconds()) * 1000 * 2 ** (this.#failures - 1));
  }

  #setHealth(health: Health): void {
    if (health.state !== this.health.state || health.words?.what !== this.health.words?.what) {
      this.health = health;
      this.overviewChanged.emit();
    }
  }

  #countWatchers(): void {
    this.#attention.setWatchers(this.#watched.size + this.#overviewWatchers);
  }

  readonly #known = new KnownJobs();
  readonly #watched = new Map<string, number>();
  readonly #wanted = new Set<string>();
  readonly #gathering = new Gathering(ids => this.changed.emit(ids));
  readonly #budget = new RequestBudget(need => this.#ask(need));
  readonly #attention: Attention;
  #overviewWatchers = 0;
  #failures = 0;
  #hasSlept = false;
  #hasHeardClock = false;
  #lastPush = 0;
  #lastOverview = 0;
  #pulseTimer: ReturnType<typeof setTimeout> | undefined;
}

/** Ends what was begun, once however often it is asked to. */
function once(end: () => void): IDisposable {
  let isDisposed = false;
  const dispose = (): void => {
    if (!isDisposed) {
      isDisposed = true;
      end();
    }
  };
  return {
    get isDisposed() {
      return isDisposed;
    },
    dispose
  };
}
