// Reading along: one question at a time, at most four a second, always about the newest picture.

const INTERVAL_MS = 250;

export class Live {
  /** `ask(picture, signal)` gives a promise of a reading; `show(reading, picture, ms)`, `fail(problem)` tell of it. */
  constructor(ask, show, fail) {
    Object.assign(this, { ask, show, fail, next: null, busy: false, generation: 0, asked: -INTERVAL_MS });
  }

  /** Read what `makePicture` gives when its turn comes; an older one still waiting is dropped. */
  read(makePicture) {
    this.next = makePicture;
    if (!this.busy) this.work();
  }

  /** Forget what waits, and break off what is asked. */
  stop() {
    this.next = null;
    this.generation += 1;
    this.question?.abort();
  }

  async work() {
    this.busy = true;
    while (this.next) {
      await pause(this.asked + INTERVAL_MS - performance.now());
      const makePicture = this.next;
      this.next = null;
      if (makePicture) await this.one(makePicture, this.generation);
    }
    this.busy = false;
  }

  async one(makePicture, generation) {
    this.asked = performance.now();
    this.question = new AbortController();
    try {
      const picture = await makePicture();
      const reading = await this.ask(picture, this.question.signal);
      if (generation === this.generation) this.show(reading, picture, performance.now() - this.asked);
    } catch (problem) {
      if (generation !== this.generation) return;
      const again = problem.status === 429 || problem.status === 503;
      if (!again) {
        this.fail(problem);
        return;
      }
      await pause(1000 * (problem.retryAfter || 1));
      if (generation === this.generation) this.next ??= makePicture; // busy: the same question a little later
    }
  }
}

function pause(ms) {
  return new Promise((resolve) => setTimeout(resolve, Math.max(0, ms)));
}
