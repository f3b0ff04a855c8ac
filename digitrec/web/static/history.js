// The last readings, newest first; kept in this page only. A click restores one.

import { by, make } from "./dom.js";

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

/** Add a reading's summary; it replaces one of the same subject (a drawing that has grown). */
export function remember(state, summary, picture) {
  [...list.children].filter((item) => item.state.subject === state.subject).forEach(drop);
  list.prepend(entry(state, summary, picture));
  [...list.children].slice(KEPT).forEach(drop);
  by("past").hidden = false;
}

function drop(item) {
  URL.revokeObjectURL(item.querySelector("img").src);
  item.remove();
}

function entry(state, { label, sure, title, words }, picture) {
  const button = make(
    "button", { type: "button", title: "Bring it back" },
    make("img", { src: URL.createObjectURL(picture), alt: words }),
    make("span", { ariaHidden: "true" }, label),
    make("small", { ariaHidden: "true", title }, sure),
  );
  return make("li", { state }, button);
}
