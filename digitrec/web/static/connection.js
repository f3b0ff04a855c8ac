// When the server goes: a banner that stays until it is back, and questions after it by itself.

import * as api from "./api.js";

const FIRST_MS = 1000;
const LONGEST_MS = 10_000;

export class Connection {
  /** `back()` is called each time the server is there again. */
  constructor(banner, back) {
    Object.assign(this, { banner, back, gone: false });
    addEventListener("offline", () => this.lost());
    addEventListener("online", () => this.gone && this.look());
  }

  lost() {
    if (this.gone) return;
    this.gone = true;
    this.wait = FIRST_MS;
    this.banner.hidden = false;
    this.later();
  }

  later() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.look(), this.wait);
    this.wait = Math.min(2 * this.wait, LONGEST_MS);
  }

  async look() {
    try {
      await api.health();
    } catch {
      this.later();
      return;
    }
    if (!this.gone) return; // two looks at once
    clearTimeout(this.timer);
    this.gone = false;
    this.banner.hidden = true;
    this.back();
  }
}
