// The dialog for an API key: before the first stroke where one is needed, again where it is wrong.

import * as api from "./api.js";

export class KeyDialog {
  /** `given()` is called when the server has taken a key. */
  constructor({ dialog, input, wrong, later, button }, given) {
    Object.assign(this, { dialog, input, wrong, button, given });
    button.addEventListener("click", () => this.open());
    later.addEventListener("click", () => dialog.close());
    dialog.querySelector("form").addEventListener("submit", (event) => {
      event.preventDefault(); // it closes only once the key is right
      this.check(input.value.trim());
    });
  }

  /** Whether a question would be turned away for want of a key. */
  get missing() {
    return !this.button.hidden && !api.hasKey();
  }

  /** The server wants a key. */
  need() {
    this.button.hidden = false;
    if (this.missing) this.open();
  }

  /** The key that was good is no longer. */
  refused() {
    const had = api.hasKey();
    api.forgetKey();
    this.button.hidden = false;
    if (this.dialog.open) return; // another question was on its way with it
    this.open(had ? "The server does not take this key any more." : "");
  }

  open(words = "") {
    this.say(words);
    if (!this.dialog.open) this.dialog.showModal();
  }

  async check(key) {
    let right;
    try {
      right = /^[\x20-\x7e]+$/.test(key) && await api.accepts(key); // no header takes other characters
    } catch (problem) {
      this.say(`That did not work: ${problem.message}.`);
      return;
    }
    if (!right) {
      this.say("The server does not know this key.");
      return;
    }
    api.useKey(key);
    this.input.value = "";
    this.dialog.close();
    this.given();
  }

  say(words) {
    this.wrong.textContent = words;
    this.input.setAttribute("aria-invalid", words !== "");
    if (words) this.input.select();
  }
}
