// The last readings, newest first; kept by this page alone, and gone with it. A click brings one back.

import { howSure, inWords, percent } from "./view.js";

const KEPT = 12;

export class History {
  /** `recall(state)` is called with what was on the stage when the entry was made. */
  constructor({ list, section, forget }, recall) {
    Object.assign(this, { list, section, recall });
    forget.addEventListener("click", () => {
      while (list.lastChild) this.drop();
      section.hidden = true;
    });
  }

  /** Add a reading; a later one of the same subject (a drawing that grew) takes its place. */
  put(state, reading, picture) {
    const before = this.list.querySelector(`[data-subject="${state.subject}"]`);
    if (before) this.drop(before);
    this.list.prepend(this.entry(state, reading, picture));
    while (this.list.childElementCount > KEPT) this.drop();
    this.section.hidden = false;
  }

  drop(item = this.list.lastChild) {
    URL.revokeObjectURL(item.querySelector("img").src);
    item.remove();
  }

  entry(state, reading, picture) {
    const item = document.createElement("li");
    item.dataset.subject = state.subject;
    const button = document.createElement("button");
    button.type = "button";
    button.title = "Bring it back";
    button.addEventListener("click", () => this.recall(state));
    const image = document.createElement("img");
    image.src = URL.createObjectURL(picture);
    image.alt = inWords(reading);
    const said = document.createElement("span");
    said.textContent = reading.prediction ?? "?";
    said.ariaHidden = "true";
    const sure = document.createElement("small");
    sure.textContent = reading.confidence === null ? "" : percent(reading.calibrated ?? reading.confidence);
    sure.title = howSure(reading) ?? "";
    sure.ariaHidden = "true";
    button.append(image, said, sure);
    item.append(button);
    return item;
  }
}
