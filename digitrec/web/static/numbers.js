// The numbers on a picture with several digits: shown over it, correctable, copied as CSV.

import * as api from "./api.js";
import { by, make } from "./dom.js";
import { patiently } from "./patience.js";
import { inWordsOf, isDoubtful, showNumbers, summaryOf, toast } from "./view.js";

export class Numbers {
  request = new AbortController(); // of the present picture
  sheets = new WeakMap(); // what was read on each picture, with its corrections
  fields = []; // { number, input }

  /** `getPlace()` says where on the stage the picture lies ([left, top, right, bottom], shares of its side); null: it
   *  is a drawing. */
  constructor({ getPlace, fail }) {
    Object.assign(this, { getPlace, fail });
    by("csv").addEventListener("click", () => this.copy());
  }

  /** The picture has changed: remove its numbers. */
  hide() {
    this.request.abort();
    this.fields = [];
    by("numbers").hidden = by("csv").hidden = true;
  }

  /** Read the numbers with this engine and show them. `told(summary)` gets what the history keeps, or null without
   *  numbers; nothing if the picture changes first. */
  async read(picture, engine, told) {
    this.request.abort();
    const { signal } = this.request = new AbortController();
    try {
      let sheet = this.sheets.get(picture);
      if (!sheet) {
        sheet = await patiently(() => api.read(picture, engine, signal), { signal });
        if (signal.aborted) return;
        const isOneDigit = sheet.numbers.length === 1 && sheet.numbers[0].text.length === 1; // which was refused before
        if (isOneDigit || sheet.numbers.length === 0) {
          told(null);
          return;
        }
        this.sheets.set(picture, sheet);
      }
      this.show(sheet);
      told(summaryOf(sheet.numbers));
    } catch (problem) {
      if (signal.aborted) return;
      this.fail(problem);
      told(null);
    }
  }

  show(sheet) {
    this.sheet = sheet;
    this.fields = sheet.numbers.map((number, place) => {
      const input = make("input", { value: number.text, ariaLabel: `Number ${place + 1}`, title: inWordsOf(number) });
      input.classList.toggle("unsure", isDoubtful(number));
      input.addEventListener("input", () => { number.text = input.value; });
      return { number, input };
    });
    by("numbers").replaceChildren(...this.fields.map(({ input }) => input));
    by("csv").hidden = false;
    this.layOver();
  }

  /** Put each field below its number on the picture, those without a box one below the other; a drawing has none. */
  layOver() {
    if (this.fields.length === 0) return;
    const { numbers, size: [width, height], emulated } = this.sheet;
    const place = this.getPlace();
    by("numbers").hidden = place === null;
    showNumbers(numbers, { haveFields: place !== null, emulated });
    if (place === null) return;
    const [left, top, right, bottom] = place;
    for (const [index, { number: { box }, input }] of this.fields.entries()) {
      const [x, , , y] = box ?? [0, 0, 0, (height * index) / this.fields.length];
      const across = 100 * (left + ((right - left) * x) / width);
      const down = 100 * (top + ((bottom - top) * y) / height);
      // In "translate", 100% is the field's own size and 100cqw the stage's, so that all of the field stays on the stage.
      input.style.translate = `min(${across}cqw, 100cqw - 100%) min(${down}cqh, 100cqh - 100%)`;
    }
  }

  async copy() {
    const rows = [...Map.groupBy(this.fields, ({ number }) => number.row ?? 0).values()];
    try {
      await navigator.clipboard.writeText(rows.map(line).join(""));
      toast("Copied as CSV.");
    } catch {
      toast("This browser does not let the page copy; it does over https.");
    }
  }
}

/** A line of CSV; aligned numbers are in their columns. */
function line(row) {
  const last = Math.max(...row.map(({ number }) => number.column ?? NaN));
  const fields = Number.isNaN(last) ? row
    : Array.from({ length: last + 1 }, (_, column) => row.find(({ number }) => number.column === column));
  const cells = fields.map((field) => field?.number.text ?? "");
  return `${cells.map((cell) => (/[",]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell)).join(",")}\n`;
}
