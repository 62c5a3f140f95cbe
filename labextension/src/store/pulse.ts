/** Beats while somebody looks, as often as the user wants the page to ask. */

export class Pulse {
  constructor(
    private readonly seconds: () => number,
    private readonly beat: () => void
  ) {}

  start(): void {
    this.stop();
    this.#timer = setTimeout(
      () => {
        this.beat();
        this.start();
      },
      Math.max(1, this.seconds()) * 1000
    );
  }

  stop(): void {
    clearTimeout(this.#timer);
  }

  #timer: ReturnType<typeof setTimeout> | undefined;
}
