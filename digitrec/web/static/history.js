// The last readings, newest first; kept in this page only. A click restores one.

import { by, make } from "./dom.js";
import { howSure, inWords, percent } from "./view.js";

const KEPT = 12;
const list = by("history");

/** Call `recall(state)` with what was on the stage when an entry that is clicked was made. */
export function listenForRecall(recall) {
  list.addEventListener("click", (event) => {
    const item = event.target.closest("li");
    if (item) recall(item.state);
  });
  by("forget").addEventListener("click", () => {
    [...list.children].forEach(drop);
    by("past").hidden = true;
  });
}

/** Add a reading; it replaces one of the same subject (a drawing that has grown). */
export function remember(state, reading, picture) {
  [...list.children].filter((item) => item.state.subject === state.subject).forEach(drop);
  list.prepend(entry(state, reading, picture));
  [...list.children].slice(KEPT).forEach(drop);
  by("past").hidden = false;
}

function drop(item) {
  URL.revokeObjectURL(item.querySelector("img").src);
  item.remove();
}

function entry(state, reading, picture) {
  const { prediction, confidence, calibrated } = reading;
  const sure = confidence === null ? "" : percent(calibrated ?? confidence);
  const button = make(
    "button", { type: "button", title: "Bring it back" },
    make("img", { src: URL.createObjectURL(picture), alt: inWords(reading) }),
    make("span", { ariaHidden: "true" }, prediction ?? "?"),
    make("small", { ariaHidden: "true", title: howSure(reading) ?? "" }, sure),
  );
  return make("li", { state }, button);
}
