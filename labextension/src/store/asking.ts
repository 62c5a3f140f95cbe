/** Asks the server for what the store wants, within the page's budget; knows how the two halves get along. */

import type { Api, JobDetails, JobList, Operation } from '../server/api';
import { RequestBudget } from './budget';
import { healthOfAnswer, healthOfFailure } from './health';
import type { Health } from '../tokens/job_store';

const MOST_IDS = 60;
const LONGEST_BACKOFF = 20_000;
const DETAILS = 'details';
const LIST = 'list';

/** What becomes of the answers. */
export interface Takers {
  details(answer: JobDetails, ids: readonly string[]): void;
  list(answer: JobList): void;
  operation(answer: Operation): void;
  /** An answer came after failures. */
  recovered(): void;
  /** The health changed. */
  health(): void;
  /** Whether what failed is worth asking again. */
  isEngaged(): boolean;
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

  details(id: string): void {
    this.#ids.add(id);
    this.#want(DETAILS);
  }

  operation(id: string): void {
    this.#want(id);
  }

  /** Does what asks something else of the server and does not reject, when its turn has come. */
  errand(name: string, act: () => Promise<void>): void {
    this.#errands.set(name, act);
    this.#want(name);
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

  /** Takes up the errands that were left while nobody looked. */
  resume(): void {
    this.#errands.forEach((_, name) => this.#want(name));
  }

  /** Forgets failures and pauses; the next question is asked as if it were the first. */
  revive(): void {
    this.#failures = 0;
    this.#budget.pause(0);
    this.resume();
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
    const errand = this.#errands.get(need);
    if (errand) {
      this.#errands.delete(need);
      return errand();
    }
    try {
      await this.#answer(need);
      if (this.#failures && need !== LIST) {
        // Whatever failed, the list may be out of date too.
        this.takers.recovered();
      }
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
      if (this.takers.isEngaged()) {
        this.#budget.want(need);
      }
      this.#budget.release();
    }
    this.#setHealth(health);
  }

  async #answer(need: string): Promise<void> {
    if (need === DETAILS) {
      await this.#askDetails();
    } else if (need === LIST) {
      this.takers.list(await this.api.jobs());
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
  readonly #errands = new Map<string, () => Promise<void>>();
  readonly #budget = new RequestBudget(need => this.#ask(need));
  #failures = 0;
}
