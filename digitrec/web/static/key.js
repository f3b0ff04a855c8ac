// The dialog for an API key: before the first stroke where one is needed, again where it is wrong.

import * as api from "./api.js";
import { by } from "./dom.js";

export class KeyDialog {
  dialog = by("key-dialog");
  input = by("key");
  button = by("key-button");

  /** `given()` is called when the server has taken a key. */
  constructor(given) {
    this.given = given;
    this.button.addEventListener("click", () => this.open());
    this.dialog.addEventListener("submit", (event) => {
      if (event.submitter?.value === "later") return;
      event.preventDefault(); // it closes only once the key is right
      this.check(this.input.value.trim());
    });
  }

  /** Whether a request would be rejected for want of a key. */
  get missing() {
    return !this.button.hidden && !api.hasKey();
  }

  /** The server wants a key. */
  need() {
    this.button.hidden = false;
    if (this.missing) this.open();
  }

  /** The key is no longer valid. */
  refused() {
    const had = api.hasKey();
    api.forgetKey();
    this.button.hidden = false;
    if (!this.dialog.open) this.open(had ? "The server does not take this key any more." : "");
  }

  open(words = "") {
    this.say(words);
    if (!this.dialog.open) this.dialog.showModal();
  }

  async check(key) {
    try {
      const isRight = /^[\x20-\x7e]+$/.test(key) && await api.accepts(key); // no header takes other characters
      if (!isRight) {
        this.say("The server does not know this key.");
        return;
      }
    } catch (problem) {
      this.say(`That did not work: ${problem.message}.`);
      return;
    }
    api.useKey(key);
    this.input.value = "";
    this.dialog.close();
    this.given();
  }

  say(words) {
    by("key-wrong").textContent = words;
    this.input.setAttribute("aria-invalid", words !== "");
    if (words) this.input.select();
  }
}
