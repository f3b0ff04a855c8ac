// Live reading: one request at a time, at most four a second, always with the newest picture.

const INTERVAL_MS = 250;
const TRIES = 5; // of one picture or drawing on a busy server
const LONGEST_S = 60; // a longer Retry-After is for the person to wait

export class Live {
  next = null; // makes the picture that is read next
  busy = false;
  generation = 0;
  asked = -INTERVAL_MS;
  tries = 0;

  /** `ask(picture, signal)` promises a reading; `show(reading, picture, ms)`, `fail(problem)` and
   *  `wait(problem, seconds)` report the outcome. */
  constructor(ask, { show, fail, wait = () => {} }) {
    Object.assign(this, { ask, show, fail, wait });
  }

  /** Read the result of `makePicture` at its turn; drop an older one that still waits. */
  async read(makePicture) {
    this.next = makePicture;
    if (this.busy) return;
    this.busy = true;
    while (this.next) {
      await pause(this.asked + INTERVAL_MS - performance.now());
      const next = this.next;
      this.next = null;
      if (next) await this.one(next, this.generation);
    }
    this.busy = false;
  }

  /** Drop the waiting picture, and abort the request or its pause. */
  stop() {
    this.next = null;
    this.tries = 0;
    this.generation += 1;
    this.request?.abort();
  }

  async one(makePicture, generation) {
    this.asked = performance.now();
    this.request = new AbortController();
    const isCurrent = () => generation === this.generation;
    try {
      const picture = await makePicture();
      const reading = await this.ask(picture, this.request.signal);
      this.tries = 0;
      if (isCurrent()) this.show(reading, picture, performance.now() - this.asked);
    } catch (problem) {
      if (!isCurrent()) return;
      const seconds = Math.max(problem.retryAfterS, 2 ** this.tries - 1); // longer each time
      this.tries += 1;
      if (!Number.isFinite(problem.retryAfterS) || seconds > LONGEST_S || this.tries >= TRIES) {
        this.tries = 0;
        this.fail(problem);
        return;
      }
      this.wait(problem, seconds);
      await pause(1000 * seconds, this.request.signal);
      if (isCurrent()) this.next ??= makePicture;
    }
  }
}

/** Wait; an aborted signal ends it early. */
function pause(ms, signal) {
  return new Promise((resolve) => {
    setTimeout(resolve, Math.max(0, ms));
    signal?.addEventListener("abort", resolve);
  });
}
