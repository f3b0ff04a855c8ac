// Live reading: one request at a time, at most four a second, always with the newest picture.

import { patiently, pause } from "./patience.js";

const INTERVAL_MS = 250;

export class Live {
  next = null; // makes the picture that is read next
  busy = false;
  asked = -INTERVAL_MS;

  /** `ask(picture, signal)` promises a reading; `show(reading, picture, ms)`, `fail(problem)` and
   *  `wait(problem, seconds)` report the outcome. */
  constructor(ask, { show, fail, wait }) {
    Object.assign(this, { ask, show, fail, wait });
  }

  /** Read the result of `makePicture` at its turn; drop an older one that still waits. */
  async read(makePicture) {
    this.next = makePicture;
    if (this.busy) return;
    this.busy = true;
    while (this.next) {
      await pause(this.asked + INTERVAL_MS - performance.now());
      if (this.next) await this.one();
    }
    this.busy = false;
  }

  /** Drop the waiting picture, and abort the request or its pause. */
  stop() {
    this.next = null;
    this.request?.abort();
  }

  async one() {
    const { signal } = this.request = new AbortController();
    let makePicture;
    let picture;
    const ask = async () => {
      makePicture = this.next ?? makePicture; // a newer one may have come during a pause
      this.next = null;
      this.asked = performance.now();
      picture = await makePicture();
      return this.ask(picture, signal);
    };
    try {
      const reading = await patiently(ask, { signal, wait: this.wait });
      if (!signal.aborted) this.show(reading, picture, performance.now() - this.asked);
    } catch (problem) {
      if (!signal.aborted) this.fail(problem);
    }
  }
}
