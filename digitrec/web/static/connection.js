// When the server is gone: a banner that stays until it is back, and a look after it ever more rarely.

import * as api from "./api.js";
import { by } from "./dom.js";

const WAITS_S = [1, 2, 4, 8, 16, 32, 60];

export class Connection {
  /** `back()` is called each time the server is there again. */
  constructor(back) {
    Object.assign(this, { back, gone: false, tries: 0 });
    by("again").addEventListener("click", () => this.afresh());
    addEventListener("offline", () => this.lost(new api.Problem("this device is offline")));
    addEventListener("online", () => this.gone && this.afresh());
  }

  /** A request failed. Where the server still answers others, it is for the person to try this one again. */
  async lost(problem) {
    this.say(problem.isForeign ? `In place of the server something else answered: ${problem.message}.`
      : "The server is not answering. Your drawing is safe; this page goes on trying by itself.");
    if (this.gone) return;
    this.gone = true;
    if (problem.isForeign && await this.isHealthy()) this.gone = false;
    else this.later();
  }

  /** A request succeeded. */
  good() {
    this.tries = 0;
    by("gone").hidden = true;
  }

  say(words) {
    by("gone-words").textContent = words;
    by("gone").hidden = false;
  }

  later() {
    clearTimeout(this.timer);
    if (this.tries < WAITS_S.length) this.timer = setTimeout(() => this.look(), 1000 * WAITS_S[this.tries++]);
    else this.say("The server is still not answering. Your drawing is safe; this page has stopped trying.");
  }

  afresh() {
    this.tries = 0;
    this.look();
  }

  async look() {
    clearTimeout(this.timer);
    if (await this.isHealthy()) {
      this.gone = false;
      by("gone").hidden = true;
      this.back();
    } else {
      this.gone = true;
      this.later();
    }
  }

  isHealthy() {
    return api.health().then(() => true, () => false);
  }
}
