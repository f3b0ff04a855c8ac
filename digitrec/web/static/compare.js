// The same picture before several engines, a column for each.

import * as api from "./api.js";
import { by, make, makeButton } from "./dom.js";
import { howSure, reasonInWords } from "./view.js";

export class Comparison {
  engines = []; // those on offer

  constructor(getPicture, fail) {
    Object.assign(this, { getPicture, fail });
    by("compare").addEventListener("click", () => this.start());
  }

  /** Empty columns: the picture has changed. */
  reset(hasPicture) {
    by("compare").disabled = !hasPicture;
    if (by("columns").childElementCount === 0) return;
    by("columns").replaceChildren();
    by("agreement").textContent = "";
  }

  /** Ask what is free; show what each of the others would cost. */
  async start() {
    const picture = await this.getPicture();
    this.said = new Map();
    const articles = new Map(this.engines.map((engine) => [engine.name, this.column(engine, picture)]));
    by("columns").replaceChildren(...articles.values());
    const free = this.engines.filter((engine) => engine.usd_per_picture === 0).map(({ name }) => name);
    if (free.length) await this.ask(picture, free);
  }

  column({ name, usd_per_picture: usd }, picture) {
    const article = make("article", {}, make("h3", {}, name));
    article.dataset.engine = name;
    if (usd === 0) {
      article.append(make("p", {}, "reading…"));
    } else {
      const button = makeButton(`Ask (${usd === null ? "price unknown" : dollars(usd)})`, () => {
        button.disabled = true;
        this.ask(picture, [name]);
      });
      article.append(make("p", {}, "sends the picture to another company"), button);
    }
    return article;
  }

  async ask(picture, names) {
    let answer;
    try {
      answer = await api.compare(picture, names);
    } catch (problem) {
      this.fail(problem);
      names.forEach((name) => this.fill(name, make("p", {}, "no answer")));
      return;
    }
    for (const reading of answer.readings) {
      this.said.set(reading.provider, reading);
      this.fill(reading.provider, ...columnOf(reading));
    }
    this.sumUp();
  }

  fill(name, ...content) {
    const article = by("columns").querySelector(`[data-engine="${CSS.escape(name)}"]`);
    article?.replaceChildren(make("h3", {}, name), ...content);
  }

  sumUp() {
    const answered = [...this.said.values()].filter((reading) => !reading.problem);
    const real = answered.filter((reading) => !reading.emulated);
    const answers = real.length ? real : answered; // emulators outvote no engine
    const digits = new Set(answers.map((reading) => reading.prediction));
    const same = digits.size > 1 ? "They do not agree." : "They all say the same.";
    const words = answers.length < answered.length ? `${same} (Emulated answers are not counted.)` : same;
    by("agreement").textContent = answers.length > 1 ? words : "";
  }
}

function columnOf(reading) {
  const time = reading.latency_s < 0.1 ? `${(1000 * reading.latency_s).toFixed(1)} ms` : `${reading.latency_s.toFixed(2)} s`;
  const price = reading.cost_usd === null ? "price unknown" : reading.cost_usd === 0 ? "free" : dollars(reading.cost_usd);
  const remarks = [reading.emulated && "emulated", reading.replayed && "from the ledger"].filter(Boolean);
  return [said(reading), make("p", {}, words(reading)), make("p", {}, [time, price, ...remarks].join(" · "))];
}

function said({ prediction, problem }) {
  const kind = problem ? "failed" : prediction === null ? "none" : "";
  return make("p", { className: `said ${kind}` }, problem ? "!" : prediction ?? "?");
}

function words(reading) {
  if (reading.problem) return reading.problem.detail;
  if (reading.prediction === null) return reasonInWords(reading.reason);
  return howSure(reading) ?? "says no more";
}

function dollars(usd) {
  return `$${usd.toLocaleString("en-US", { maximumSignificantDigits: 4 })}`; // 0.00002 is not 0.0000
}
