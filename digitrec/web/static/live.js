// Reading along: one question at a time, always about the newest picture.

const PAUSE_MS = 30;

export class Live {
  /** `ask(picture)` gives a promise of a reading; `show(reading, picture, ms)` and `fail(problem)` tell of it. */
  constructor(ask, show, fail) {
    Object.assign(this, { ask, show, fail, next: null, busy: false, generation: 0 });
  }

  /** Read what `makePicture` gives when its turn comes; an older one still waiting is skipped. */
  read(makePicture) {
    this.next = makePicture;
    if (!this.busy) this.work();
  }

  /** Forget what waits, and whatever is answered from now on to an earlier question. */
  stop() {
    this.next = null;
    this.generation += 1;
  }

  async work() {
    this.busy = true;
    while (this.next) {
      const makePicture = this.next;
      this.next = null;
      await this.one(makePicture, this.generation);
    }
    this.busy = false;
  }

  async one(makePicture, generation) {
    const start = performance.now();
    try {
      const picture = await makePicture();
      const reading = await this.ask(picture);
      if (generation === this.generation) this.show(reading, picture, performance.now() - start);
      await pause(PAUSE_MS);
    } catch (problem) {
      if (generation !== this.generation) return;
      const again = problem.status === 429 || problem.status === 503;
      if (!again) this.fail(problem);
      await pause(1000 * (problem.retryAfter || 0));
      if (again) this.next ??= makePicture; // busy: the same question a little later
    }
  }
}

function pause(ms) {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
