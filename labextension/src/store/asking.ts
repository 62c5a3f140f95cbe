/** Asks the server for what the store wants, within the page's budget; knows how the two halves get along. */

import type { Api, JobDetails, JobList, Operation, Status } from '../server/api';
import { RequestBudget } from './budget';
import { healthOfAnswer, healthOfFailure } from './health';
import type { Health } from '../tokens/job_store';

const MOST_IDS = 60;
const LONGEST_BACKOFF = 30_000;
const DETAILS = 'details';
const LIST = 'list';
const STATUS = 'status';

/** What becomes of the answers. */
export interface Takers {
  details(answer: JobDetails, ids: readonly string[]): void;
  list(answer: JobList): void;
  status(answer: Status): void;
  operation(answer: Operation): void;
  /** The health changed. */
  health(): void;
  /** The server half is there, or is not. */
  reachable(isReachable: boolean): void;
}

export class Asking {
  constructor(
    private readonly api: Api,
    private readonly pollSeconds: () => number,
    private readonly takers: Takers
  ) {}

  health: Health = { state: 'unknown', words: null };

  /** Whether the last answers were failures; who polls waits for the next attempt then. */
  get isFailing(): boolean {
    return this.#failures > 0;
  }

  /** Whether something was wanted while nobody looked. */
  hasSlept = false;

  list(): void {
    this.#want(LIST);
  }

  status(): void {
    this.#want(STATUS);
  }

  details(id: string): void {
    this.#ids.add(id);
    this.#want(DETAILS);
  }

  operation(id: string): void {
    this.#want(id);
  }

  /** A job's document is not wanted any more. */
  drop(id: string): void {
    this.#ids.delete(id);
  }

  /** Nobody looks: what is wanted now is wanted again when somebody does. */
  sleep(): void {
    this.hasSlept = true;
    this.#ids.clear();
    if (!this.isFailing) {
      this.#budget.clear();
    }
  }

  /** Forgets failures and pauses; the next question is asked as if it were the first. */
  revive(): void {
    this.#failures = 0;
    this.#budget.pause(0);
  }

  /** Resolves when all that is wanted has been asked for. */
  quiet(): Promise<void> {
    return this.#budget.quiet();
  }

  dispose(): void {
    this.#budget.dispose();
  }

  #want(need: string): void {
    if (document.visibilityState !== 'visible') {
      this.hasSlept = true;
    } else if (this.health.state !== 'server-missing' || !this.isFailing) {
      this.#budget.want(need);
    }
  }

  readonly #ask = async (need: string): Promise<void> => {
    try {
      await this.#answer(need);
      this.#failures = 0;
      this.#setHealth(healthOfAnswer(this.api.requests.serverVersion));
      this.takers.reachable(true);
    } catch (problem) {
      this.#fail(need, healthOfFailure(problem));
    }
  };

  #fail(need: string, health: Health): void {
    this.#failures += 1;
    if (health.state === 'server-missing') {
      this.#budget.pause(Infinity);
      this.#budget.clear();
      this.takers.reachable(false);
    } else {
      this.#budget.pause(this.#backoff());
      this.#budget.want(need);
      this.#budget.release();
    }
    this.#setHealth(health);
  }

  async #answer(need: string): Promise<void> {
    if (need === DETAILS) {
      await this.#askDetails();
    } else if (need === LIST) {
      this.takers.list(await this.api.jobs());
      // The list brings the status along.
      this.#budget.drop(STATUS);
    } else if (need === STATUS) {
      this.takers.status(await this.api.status());
    } else {
      this.takers.operation(await this.api.operation(need));
    }
  }

  async #askDetails(): Promise<void> {
    const ids = [...this.#ids].slice(0, MOST_IDS);
    if (!ids.length) {
      return;
    }
    const answer = await this.api.details(ids);
    ids.forEach(id => this.#ids.delete(id));
    this.takers.details(answer, ids);
    if (this.#ids.size) {
      this.#want(DETAILS);
    }
  }

  #backoff(): number {
    return Math.min(LONGEST_BACKOFF, Math.max(1, this.pollSeconds()) * 1000 * 2 ** (this.#failures - 1));
  }

  #setHealth(health: Health): void {
    if (health.state !== this.health.state || health.words?.what !== this.health.words?.what) {
      this.health = health;
      this.takers.health();
    }
  }

  readonly #ids = new Set<string>();
  readonly #budget = new RequestBudget(need => this.#ask(need));
  #failures = 0;
}
