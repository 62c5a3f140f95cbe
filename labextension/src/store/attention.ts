/** Tells the server whether this page is looked at, and the store when to sleep; silent until somebody has watched once. */

import { UUID } from '@lumino/coreutils';
import type { Api } from '../server/api';

const RENEW_VISIBLE = 30_000;
const RENEW_HIDDEN = 60_000;
/** A card that is scrolled past is no news. */
const SETTLING = 300;

export class Attention {
  constructor(
    private readonly api: Api,
    private readonly onChange: (isAwake: boolean) => void
  ) {
    document.addEventListener('visibilitychange', this.#look);
  }

  /** Whether something of ours is on a screen that is looked at. */
  get isAwake(): boolean {
    return this.#watchers > 0 && document.visibilityState === 'visible';
  }

  /** How many watch; the first one ever begins the lease. */
  setWatchers(count: number): void {
    this.#watchers = count;
    this.#hasBegun ||= count > 0;
    if (!this.#hasBegun) {
      return;
    }
    if (this.isAwake) {
      this.#look();
    } else {
      clearTimeout(this.#settling);
      this.#settling = setTimeout(this.#look, SETTLING);
    }
  }

  /** The server half has gone or come: no renewals while it is away. */
  setReachable(isReachable: boolean): void {
    if (this.#isReachable !== isReachable) {
      this.#isReachable = isReachable;
      this.#wasAwake = null;
      this.#look();
    }
  }

  dispose(): void {
    document.removeEventListener('visibilitychange', this.#look);
    clearTimeout(this.#settling);
    clearTimeout(this.#renewal);
    this.#hasBegun = false;
  }

  readonly #look = (): void => {
    clearTimeout(this.#settling);
    if (!this.#hasBegun || this.isAwake === this.#wasAwake) {
      return;
    }
    this.#wasAwake = this.isAwake;
    this.#renew();
    this.onChange(this.isAwake);
  };

  #renew(): void {
    clearTimeout(this.#renewal);
    if (!this.#hasBegun || !this.#isReachable) {
      return;
    }
    // A lease that could not be renewed runs out, and pages fall back to asking: nothing to tell anybody.
    this.api.watch(this.#page, this.isAwake).catch(() => undefined);
    this.#renewal = setTimeout(() => this.#renew(), this.isAwake ? RENEW_VISIBLE : RENEW_HIDDEN);
  }

  readonly #page = UUID.uuid4();
  #watchers = 0;
  #hasBegun = false;
  #isReachable = true;
  #wasAwake: boolean | null = null;
  #settling: ReturnType<typeof setTimeout> | undefined;
  #renewal: ReturnType<typeof setTimeout> | undefined;
}
