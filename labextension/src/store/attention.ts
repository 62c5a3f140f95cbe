/** Tells the server whether this page is looked at, and the store when to sleep; silent until there is something of ours. */

import { UUID } from '@lumino/coreutils';
import type { Api } from '../server/api';

const RENEW_VISIBLE = 30_000;
const RENEW_HIDDEN = 60_000;

export class Attention {
  constructor(
    private readonly api: Api,
    private readonly onChange: (isAwake: boolean) => void
  ) {
    document.addEventListener('visibilitychange', this.#look);
  }

  /** Whether something of ours ever ran or was shown on this page. */
  hasBegun = false;

  get isAwake(): boolean {
    return this.hasBegun && document.visibilityState === 'visible';
  }

  begin(): void {
    this.hasBegun = true;
    this.#look();
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
    clearTimeout(this.#renewal);
    this.hasBegun = false;
  }

  readonly #look = (): void => {
    if (!this.hasBegun || this.isAwake === this.#wasAwake) {
      return;
    }
    this.#wasAwake = this.isAwake;
    this.#renew();
    this.onChange(this.isAwake);
  };

  #renew(): void {
    clearTimeout(this.#renewal);
    if (!this.hasBegun || !this.#isReachable) {
      return;
    }
    // A lease that could not be renewed runs out, and pages fall back to asking: nothing to tell anybody.
    this.api.watch(this.#page, this.isAwake).catch(() => undefined);
    this.#renewal = setTimeout(() => this.#renew(), this.isAwake ? RENEW_VISIBLE : RENEW_HIDDEN);
  }

  readonly #page = UUID.uuid4();
  #isReachable = true;
  #wasAwake: boolean | null = null;
  #renewal: ReturnType<typeof setTimeout> | undefined;
}
