/** When sessions of a node were opened, for those who wait for the next one. */
export class Openings {
  #last_ms = 0;
  #waiting: ((at_ms: number) => void)[] = [];

  add(at_ms: number): void {
    this.#last_ms = at_ms;
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const resolve of waiting) resolve(at_ms);
  }

  /** Resolves with the moment of the last one, if that is after `since_ms`, else with that of the next. */
  after(since_ms: number): Promise<number> {
    if (this.#last_ms > since_ms) return Promise.resolve(this.#last_ms);
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
    });
  }
}
