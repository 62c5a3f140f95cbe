/** How far the page's clock is ahead of the server's, so that elapsed times are the server's. */

export class PageClock {
  get offset(): number {
    return Number.isFinite(this.#least) ? this.#least : 0;
  }

  /** The server said at this moment (seconds) that something was true. */
  hear(moment: number): void {
    const ahead = Date.now() / 1000 - moment;
    // The answer that took the least time on its way is nearest to the truth.
    if (ahead < this.#least) {
      this.#least = ahead;
    }
  }

  #least = Infinity;
}
