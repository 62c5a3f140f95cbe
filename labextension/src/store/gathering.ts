/** Gathers ids of what changed and tells them once per frame; a hidden page has no frames, so a timer stands in. */

const HIDDEN_DELAY = 250;

export class Gathering {
  constructor(private readonly tell: (ids: ReadonlySet<string>) => void) {}

  add(id: string): void {
    this.#ids.add(id);
    if (this.#isPlanned) {
      return;
    }
    this.#isPlanned = true;
    if (document.visibilityState === 'visible') {
      requestAnimationFrame(this.#flush);
    } else {
      setTimeout(this.#flush, HIDDEN_DELAY);
    }
  }

  readonly #flush = (): void => {
    const ids = this.#ids;
    this.#ids = new Set();
    this.#isPlanned = false;
    this.tell(ids);
  };

  #ids = new Set<string>();
  #isPlanned = false;
}
