// The last readings, newest first; kept by this page alone, and gone with it. A click brings one back.

import { by, make, makeButton } from "./dom.js";
import { howSure, inWords, percent } from "./view.js";

const KEPT = 12;

export class History {
  list = by("history");

  /** `recall(state)` is called with what was on the stage when the entry was made. */
  constructor(recall) {
    this.recall = recall;
    by("forget").addEventListener("click", () => {
      while (this.list.lastChild) this.drop();
      by("past").hidden = true;
    });
  }

  /** Add a reading; a later one of the same subject (a drawing that grew) takes its place. */
  put(state, reading, picture) {
    const before = this.list.querySelector(`[data-subject="${state.subject}"]`);
    if (before) this.drop(before);
    this.list.prepend(this.entry(state, reading, picture));
    while (this.list.childElementCount > KEPT) this.drop();
    by("past").hidden = false;
  }

  drop(item = this.list.lastChild) {
    URL.revokeObjectURL(item.querySelector("img").src);
    item.remove();
  }

  entry(state, reading, picture) {
    const { prediction, confidence, calibrated } = reading;
    const sure = confidence === null ? "" : percent(calibrated ?? confidence);
    const button = makeButton(make("img", { src: URL.createObjectURL(picture), alt: inWords(reading) }), () => this.recall(state));
    button.title = "Bring it back";
    button.append(
      make("span", { ariaHidden: "true" }, prediction ?? "?"),
      make("small", { ariaHidden: "true", title: howSure(reading) ?? "" }, sure),
    );
    const item = make("li", {}, button);
    item.dataset.subject = state.subject;
    return item;
  }
}
