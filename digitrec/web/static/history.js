// The last readings, newest first; kept by this page alone, and gone with it.

import { howSure, inWords, percent } from "./view.js";

const KEPT = 12;

export class History {
  constructor({ list, section, forget }) {
    Object.assign(this, { list, section });
    this.subject = null;
    forget.addEventListener("click", () => {
      while (list.lastChild) this.drop();
      this.subject = null;
      section.hidden = true;
    });
  }

  /** Add a reading; a later one of the same subject (a drawing that grew) takes its place. */
  put(subject, reading, picture) {
    if (subject === this.subject) this.drop(this.list.firstChild);
    this.subject = subject;
    this.list.prepend(entry(reading, picture));
    while (this.list.childElementCount > KEPT) this.drop();
    this.section.hidden = false;
  }

  drop(item = this.list.lastChild) {
    URL.revokeObjectURL(item.querySelector("img").src);
    item.remove();
  }
}

function entry(reading, picture) {
  const item = document.createElement("li");
  const image = document.createElement("img");
  image.src = URL.createObjectURL(picture);
  image.alt = inWords(reading);
  const sure = document.createElement("small");
  sure.textContent = reading.confidence === null ? "" : percent(reading.calibrated ?? reading.confidence);
  sure.title = howSure(reading) ?? "";
  item.append(image, String(reading.prediction ?? "?"), sure);
  return item;
}
