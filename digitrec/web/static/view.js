// Showing a reading: the digit, its confidence, the bars, the network's input.

import { by, make } from "./dom.js";

const REASONS = {
  blank: "There is nothing on it yet.",
  texture: "There is something, but it does not look like ink.",
  "more than one digit": "There is more than one digit. One at a time, please.",
  "a sign beside the digit": "There is a sign beside the digit, which makes it something else.",
  "cut off": "A part of the digit is outside the picture.",
  "no digit": "There is writing, but no digit.",
  "no text": "No writing was found.",
};
const READS_ALONG = "The network reads along while you draw.";
const LEFT_OUT = "Not all of the ink was read: there is more beside the digit.";
const DOUBTFUL = 0.9; // a number with a smaller chance of being right is marked
const STALE_MS = 700; // for so long the reading of a drawing stays, greyed out, while the drawing grows
const TOAST_MS = 6000;

const bars = Array.from({ length: 10 }, (_, digit) => {
  const [fill, share] = ["fill", "share"].map((className) => make("span", { className }));
  const trough = make("span", { className: "trough" }, fill);
  return { fill, share, item: make("li", {}, make("span", { className: "name" }, digit), trough, share) };
});
by("bars").append(...bars.map((bar) => bar.item));

export function percent(share) {
  return share > 0.995 && share < 1 ? ">99%" : `${Math.round(100 * share)}%`;
}

export function reasonInWords(reason) {
  return REASONS[reason] ?? sentence(reason);
}

export function sentence(words) {
  return `${words[0].toUpperCase()}${words.slice(1).replace(/\.+$/, "")}.`;
}

/** The calibrated chance, else the engine's confidence, else null. */
export function howSure({ calibrated, confidence }) {
  if (calibrated !== null) return `${percent(calibrated)} likely right`;
  return confidence === null ? null : `${percent(confidence)} sure`;
}

/** One sentence for screen readers and for the history. */
export function inWords(reading) {
  if (reading.prediction === null) return `Can't tell. ${reasonInWords(reading.reason)}`;
  const said = [reading.prediction, howSure(reading)].filter((part) => part !== null).join(", ");
  return reading.left_out.length ? `${said}. ${LEFT_OUT}` : said;
}

/** What the history keeps of a reading: the digit, how sure it is, and all of it in words. */
export function summary(reading) {
  const { prediction, confidence, calibrated } = reading;
  const sure = confidence === null ? "" : percent(calibrated ?? confidence);
  return { label: prediction ?? "?", sure, title: howSure(reading) ?? "", words: inWords(reading) };
}

/** The same of whole numbers. */
export function summaryOf(numbers) {
  const label = numbers.length === 1 ? numbers[0].text : `${numbers.length} numbers`;
  return { label, sure: "", title: "", words: numbers.map(({ text }) => text).join(", ") };
}

/** Whether a number was not read surely. */
export function isDoubtful({ reason, calibrated, confidence }) {
  return reason !== null || (calibrated ?? confidence ?? 1) < DOUBTFUL;
}

/** How sure a number is, or why it has no value. */
export function inWordsOf(number) {
  return number.reason === null ? howSure(number) ?? "" : sentence(number.reason);
}

/** A single number as the answer, else the count of numbers. */
export function showNumbers(numbers, { haveFields, emulated }) {
  const [first] = numbers;
  if (numbers.length === 1) put(first.text, inWordsOf(first) || "It says", "It is a number, not a single digit.");
  else put(numbers.length, "numbers", haveFields ? "Correct wrong readings on the picture, then copy them all." : "You can copy them all.");
  by("verdict").classList.toggle("unsure", numbers.some(isDoubtful));
  by("timing").textContent = emulated ? "emulated" : "";
}

export function showReading(reading, roundTripMs) {
  const { prediction, probs, left_out: leftOut } = reading;
  if (prediction === null) put("?", "Can't tell", reasonInWords(reading.reason), reading);
  else put(prediction, howSure(reading) ?? "It says", leftOut.length ? LEFT_OUT : runnerUp(prediction, probs), reading);
  by("verdict").classList.toggle("unsure", prediction === null || leftOut.length > 0);
  const network = probs ? `${(1000 * reading.latency_s).toFixed(1)} ms to read it, ` : "";
  by("timing").textContent = `${reading.emulated ? "emulated, " : ""}${network}${Math.round(roundTripMs)} ms there and back`;
}

/** An empty answer with a note on the pending work. */
export function showNothing(waiting = "Waiting for a digit", why = READS_ALONG) {
  put("", waiting, why);
}

/** The stage has no answer yet. */
export function showBusy() {
  put("", "Reading…", "");
  by("verdict").ariaBusy = "true";
}

/** How much of a large picture has been sent, 0..1. */
export function showProgress(share) {
  by("sure").textContent = share < 1 ? "Sending…" : "Reading…";
  by("upload").hidden = share === 1;
  by("upload").value = share;
}

let busyTimer;
/** Grey out the reading of a growing drawing; remove it if no newer one comes soon. */
export function showStale() {
  by("verdict").classList.add("stale");
  busyTimer ??= setTimeout(showBusy, STALE_MS);
}

let toastTimer;
export function toast(words) {
  by("toast").textContent = words;
  by("toast").togglePopover(true);
  clearTimeout(toastTimer);
  toastTimer = setTimeout(hideToast, TOAST_MS);
}

export function hideToast() {
  by("toast").togglePopover(false);
}

/** Replace all that the answer shows. */
function put(digit, sure, why, { probs, seen } = {}) {
  clearTimeout(busyTimer);
  busyTimer = undefined;
  by("verdict").classList.remove("stale", "unsure");
  by("verdict").ariaBusy = "false";
  by("upload").hidden = true;
  by("digit").style.setProperty("--letters", String(digit).length || 1);
  if (by("digit").textContent !== String(digit)) by("digit").replaceChildren(make("span", {}, digit)); // it pops up
  by("sure").textContent = sure;
  by("why").textContent = why;
  by("timing").textContent = "";
  by("seen-picture").hidden = !seen;
  by("seen").classList.toggle("empty", !seen);
  by("seen-caption").textContent = probs || !seen ? "what the network saw" : "what the network would have seen";
  if (seen) by("seen-picture").src = seen;
  bars.forEach(({ item, fill, share }, place) => {
    const value = probs?.[place] ?? 0;
    item.classList.toggle("best", probs?.every((other) => other <= value) ?? false);
    fill.style.setProperty("--share", value.toFixed(3));
    share.textContent = value >= 0.005 ? percent(value) : "";
  });
}

function runnerUp(prediction, probs) {
  if (!probs) return "";
  const second = Math.max(...probs.toSpliced(prediction, 1));
  return second < 0.02 ? "No other digit comes near." : `Might also be a ${probs.indexOf(second)} (${percent(second)}).`;
}
