// Lost connections: a banner until the server is back, and health checks with growing pauses.

import * as api from "./api.js";
import { by } from "./dom.js";

const WAITS_S = [1, 2, 4, 8, 16, 32, 60];

export class Connection {
  gone = false;
  tries = 0;

  /** `back()` is called each time the server is back. */
  constructor(back) {
    this.back = back;
    by("again").addEventListener("click", () => this.look(0));
    addEventListener("offline", async () => { // a server on this machine still answers
      if (!await isHealthy()) this.lost(new api.Problem("this device is offline"));
    });
    addEventListener("online", () => this.gone && this.look(0));
  }

  /** A request failed. If the server still answers others, the person may try this one again. */
  async lost(problem) {
    this.say(problem.isForeign ? `In place of the server something else answered: ${problem.message}.`
      : "The server is not answering. Your drawing is safe; this page keeps trying.");
    if (this.gone) return;
    this.gone = true;
    if (problem.isForeign && await isHealthy()) this.gone = false;
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
    const wait = WAITS_S[this.tries];
    if (wait) this.timer = setTimeout(() => this.look(this.tries + 1), 1000 * wait);
    else this.say("The server is still not answering. Your drawing is safe; this page has stopped trying.");
  }

  async look(tries) {
    clearTimeout(this.timer);
    this.tries = tries;
    this.gone = !await isHealthy();
    if (this.gone) {
      this.later();
    } else {
      by("gone").hidden = true;
      this.back();
    }
  }
}

function isHealthy() {
  return api.health().then(() => true, () => false);
}
