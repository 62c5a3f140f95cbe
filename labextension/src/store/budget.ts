/** Spends what a page may ask: one request at a time, and at most one a second in all. */

const SECOND = 1000;
/** What is wanted within this time of the first wish goes into the same request. */
const GATHERING = 20;

/** Asks for what is named, now that its turn has come; does not reject. */
export type Ask = (need: string) => Promise<void>;

export class RequestBudget {
  constructor(private readonly ask: Ask) {}

  /** Wanting the same twice is wanting it once; first wanted, first asked. */
  want(need: string): void {
    this.#needs.add(need);
    this.#plan();
  }

  /** Asks nothing before this many milliseconds have passed, or at all for Infinity; 0 takes that back. */
  pause(milliseconds: number): void {
    this.#pausedUntil = milliseconds === 0 ? 0 : Date.now() + milliseconds;
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#plan();
  }

  /** Forgets what is wanted. */
  clear(): void {
    this.#needs.clear();
    this.#settle();
  }

  /** Resolves when nothing is wanted any more. */
  quiet(): Promise<void> {
    return this.#needs.size || this.#isAsking ? new Promise(resolve => this.#waiting.push(resolve)) : Promise.resolve();
  }

  /** Lets go whoever waits for quiet, since it will be long. */
  release(): void {
    this.#waiting.splice(0).forEach(resolve => resolve());
  }

  dispose(): void {
    clearTimeout(this.#timer);
    this.#pausedUntil = Infinity;
    this.clear();
  }

  #plan(): void {
    if (this.#timer !== undefined || this.#isAsking || !this.#needs.size || this.#pausedUntil === Infinity) {
      return;
    }
    const earliest = Math.max(this.#lastAsked + SECOND, this.#pausedUntil, Date.now() + GATHERING);
    this.#timer = setTimeout(() => void this.#spend(), earliest - Date.now());
  }

  async #spend(): Promise<void> {
    this.#timer = undefined;
    const [need] = this.#needs;
    if (need === undefined) {
      return;
    }
    this.#needs.delete(need);
    this.#lastAsked = Date.now();
    this.#isAsking = true;
    try {
      await this.ask(need);
    } finally {
      this.#isAsking = false;
      this.#plan();
      this.#settle();
    }
  }

  #settle(): void {
    if (!this.#needs.size && !this.#isAsking) {
      this.release();
    }
  }

  readonly #needs = new Set<string>();
  readonly #waiting: (() => void)[] = [];
  #timer: ReturnType<typeof setTimeout> | undefined;
  #isAsking = false;
  #lastAsked = -Infinity;
  #pausedUntil = 0;
}
