// The same picture read by several engines, with a column for each.

import * as api from "./api.js";
import { by, make, makeButton } from "./dom.js";
import { patiently } from "./patience.js";
import { howSure, reasonInWords } from "./view.js";

let said = new Map(); // the readings so far of the present picture, by engine
let present = new AbortController(); // aborted when the picture changes

/** Let the button compare `getEngines()` on the picture that `getPicture()` promises. */
export function listenForCompare(getEngines, getPicture, fail) {
  by("compare").addEventListener("click", async () => {
    const { signal } = present;
    const [engines, picture] = [getEngines(), await getPicture()];
    if (signal.aborted) return;
    const ask = (names) => askAll(picture, names, signal, fail);
    if (by("columns").childElementCount === 0) by("columns").replaceChildren(...engines.map((engine) => column(engine, ask)));
    const free = engines.filter((engine) => api.isFree(engine) && !said.has(engine.name)).map(({ name }) => name);
    if (free.length) await ask(free);
  });
}

/** Empty the columns: the picture has changed. */
export function resetCompare(hasPicture) {
  by("compare").disabled = !hasPicture;
  present.abort();
  [said, present] = [new Map(), new AbortController()];
  if (by("columns").childElementCount === 0) return;
  by("columns").replaceChildren();
  by("agreement").textContent = "";
}

function column(engine, ask) {
  const { name, usd_per_picture: usd } = engine;
  const article = make("article", {}, make("h3", {}, name));
  article.dataset.engine = name;
  if (api.isFree(engine)) {
    article.append(make("p", {}, "reading…"));
  } else {
    const button = makeButton(`Ask (${price(usd)})`, async () => {
      button.disabled = true;
      await ask([name]);
      button.disabled = false;
      if (!said.has(name)) article.append(button); // it may be asked again
    });
    article.append(make("p", {}, engine.remote ? "sends the picture to another machine" : "costs money"), button);
  }
  return article;
}

async function askAll(picture, names, signal, fail) {
  try {
    const { readings } = await patiently(() => api.compare(picture, names), { signal });
    if (signal.aborted) return; // they are about an earlier picture
    for (const reading of readings) {
      if (!reading.problem) said.set(reading.provider, reading);
      fill(reading.provider, ...columnOf(reading));
    }
    sumUp();
  } catch (problem) {
    if (signal.aborted) return;
    fail(problem);
    names.forEach((name) => fill(name, make("p", {}, "no answer")));
  }
}

function fill(name, ...content) {
  const article = by("columns").querySelector(`[data-engine="${CSS.escape(name)}"]`);
  article?.replaceChildren(make("h3", {}, name), ...content);
}

function sumUp() {
  const answered = [...said.values()];
  const real = preferred(answered, ({ emulated }) => !emulated); // emulators outvote no engine
  const answers = preferred(real, ({ asked }) => asked.length === 0); // a policy repeats its engines' answers
  const digits = new Set(answers.map((reading) => reading.prediction));
  const same = digits.size > 1 ? "They do not agree." : "They all say the same.";
  const words = real.length < answered.length ? `${same} (Emulated answers are not counted.)` : same;
  by("agreement").textContent = answers.length > 1 ? words : "";
}

/** The readings that pass the test; all if none does. */
function preferred(readings, test) {
  const found = readings.filter(test);
  return found.length ? found : readings;
}

function columnOf(reading) {
  const { prediction, problem, latency_s: seconds, cost_usd: usd } = reading;
  const kind = problem ? "failed" : prediction === null ? "none" : "";
  const words = problem?.detail ?? (prediction === null ? reasonInWords(reading.reason) : howSure(reading) ?? "says no more");
  const time = seconds < 0.1 ? `${(1000 * seconds).toFixed(1)} ms` : `${seconds.toFixed(2)} s`;
  const remarks = [time, price(usd), reading.emulated && "emulated", reading.replayed && "from the ledger"].filter(Boolean);
  return [
    make("p", { className: `said ${kind}` }, problem ? "!" : prediction ?? "?"),
    make("p", {}, words),
    make("p", {}, remarks.join(" · ")),
  ];
}

function price(usd) {
  if (usd === null) return "price unknown";
  return usd === 0 ? "free" : `$${usd.toLocaleString("en-US", { maximumSignificantDigits: 4 })}`; // 0.00002 is not 0.0000
}
