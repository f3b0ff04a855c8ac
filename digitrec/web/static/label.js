// "Wrong? Tell it.": where the server collects, a visitor may say which digit it was.

import * as api from "./api.js";

const DIGITS = [..."0123456789", "none"];

export class Label {
  constructor({ section, choices, thanks }, getPicture, fail) {
    Object.assign(this, { section, choices, thanks, getPicture, fail });
    choices.replaceChildren(...DIGITS.map((digit) => this.choice(digit)));
  }

  /** Another picture, which may be labelled anew. */
  reset(hasPicture) {
    this.thanks.textContent = "";
    for (const button of this.choices.children) button.disabled = !hasPicture;
  }

  choice(digit) {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = digit === "none" ? "no digit" : digit;
    button.addEventListener("click", () => this.tell(digit));
    return button;
  }

  async tell(digit) {
    try {
      await api.label(await this.getPicture(), digit);
      this.thanks.textContent = digit === "none" ? "Thank you: kept as no digit." : `Thank you: kept as a ${digit}.`;
    } catch (problem) {
      this.fail(problem);
    }
  }
}
