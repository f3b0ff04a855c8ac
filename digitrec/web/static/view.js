// What a reading looks like: the digit, how sure, the bars, what the network saw.

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

const by = (id) => document.getElementById(id);
const bars = Array.from({ length: 10 }, (_, digit) => makeBar(digit));
by("bars").append(...bars.map((bar) => bar.item));

export function percent(share) {
  return share > 0.995 && share < 1 ? ">99%" : `${Math.round(100 * share)}%`;
}

export function reasonInWords(reason) {
  return REASONS[reason] ?? `${reason[0].toUpperCase()}${reason.slice(1)}.`;
}

/** A calibrated chance where there is one, else how sure the engine says it is; null without either. */
export function howSure({ calibrated, confidence }) {
  if (calibrated !== null) return `${percent(calibrated)} likely right`;
  return confidence === null ? null : `${percent(confidence)} sure`;
}

/** One sentence for the ear and for the history. */
export function inWords(reading) {
  if (reading.prediction === null) return `Can't tell. ${reasonInWords(reading.reason)}`;
  return [reading.prediction, howSure(reading)].filter((part) => part !== null).join(", ");
}

export function showReading(reading, roundTripMs) {
  const { prediction, reason, probs, seen } = reading;
  const told = prediction !== null;
  isStale(false);
  by("verdict").classList.toggle("unsure", !told);
  setDigit(told ? String(prediction) : "?");
  by("sure").textContent = told ? (howSure(reading) ?? "It says") : "Can't tell";
  by("why").textContent = told ? runnerUp(prediction, probs) : reasonInWords(reason);
  const thought = probs ? `${(1000 * reading.latency_s).toFixed(1)} ms to read it, ` : "";
  by("timing").textContent = `${thought}${Math.round(roundTripMs)} ms there and back`;
  by("seen-caption").textContent = probs ? "what the network saw" : "what the network would have seen";
  setBars(probs ?? []);
  showSeen(seen);
}

/** An empty answer, with what is waited for. */
export function showNothing(waiting = "Waiting for a digit") {
  isStale(false);
  by("verdict").classList.remove("unsure");
  setDigit("");
  by("sure").textContent = waiting;
  by("why").textContent = READS_ALONG;
  by("timing").textContent = "";
  setBars([]);
  showSeen(null);
}

/** Nobody answers: what was said before is not about what is on the stage now. */
export function showGone() {
  showNothing("No answer");
  by("why").textContent = "The server is not answering.";
}

/** Whether what is shown is about an earlier picture than the one on the stage. */
export function isStale(stale) {
  by("verdict").classList.toggle("stale", stale);
}

let hideToast;
export function toast(words) {
  const element = by("toast");
  element.textContent = words;
  element.hidden = false;
  clearTimeout(hideToast);
  hideToast = setTimeout(() => { element.hidden = true; }, 6000);
}

function setDigit(text) {
  const element = by("digit");
  if (element.textContent === text) return;
  element.textContent = text;
  element.classList.remove("pop");
  void element.offsetWidth; // lets the animation start again
  element.classList.add("pop");
}

function runnerUp(prediction, probs) {
  if (!probs) return "";
  const others = probs.map((share, digit) => ({ share, digit })).filter(({ digit }) => digit !== prediction);
  const second = others.reduce((best, other) => (other.share > best.share ? other : best));
  return second.share < 0.02 ? "No other digit comes near." : `Might also be a ${second.digit} (${percent(second.share)}).`;
}

function setBars(probs) {
  const best = probs.indexOf(Math.max(...probs));
  bars.forEach(({ item, fill, share }, digit) => {
    const value = probs[digit] ?? 0;
    item.classList.toggle("best", digit === best);
    fill.style.setProperty("--share", value.toFixed(3));
    share.textContent = value >= 0.005 ? percent(value) : "";
  });
}

function showSeen(url) {
  by("seen-picture").hidden = !url;
  by("seen").classList.toggle("empty", !url);
  if (url) by("seen-picture").src = url;
}

function makeBar(digit) {
  const [item, share, trough, fill, name] = ["li", "span", "span", "span", "span"].map((tag) => document.createElement(tag));
  share.className = "share";
  trough.className = "trough";
  fill.className = "fill";
  name.className = "name";
  name.textContent = digit;
  trough.append(fill);
  item.append(name, trough, share);
  return { item, fill, share };
}
