// Why it says so: the steps of the preparation, and over the last of them which ink spoke for the digit.

import * as api from "./api.js";

const SIDE = 28;
const CELL = 8; // pixels of the heat map for each of the network's
const FOR = [255, 138, 0];
const AGAINST = [64, 128, 255];

export class Why {
  /** `getPicture()` promises what is on the stage; `getReader()` names the engine that reads along. */
  constructor({ button, section, steps, words, heat }, getPicture, getReader, fail) {
    Object.assign(this, { button, section, steps, words, heat, getPicture, getReader, fail, asked: 0 });
    button.addEventListener("click", () => this.ask());
  }

  /** The picture has changed: what is shown is about another. */
  reset() {
    this.asked += 1;
    this.section.hidden = true;
  }

  async ask() {
    const asked = this.asked += 1;
    this.button.disabled = true;
    try {
      const found = await api.explain(await this.getPicture(), this.getReader());
      if (asked === this.asked) await this.show(found);
    } catch (problem) {
      this.fail(problem);
    } finally {
      this.button.disabled = false;
    }
  }

  async show({ steps, saliency, where }) {
    this.steps.replaceChildren(...steps.map(stepFigure));
    const said = where.length ? `What spoke for it most: ${where.join(", ")}.` : "";
    this.words.textContent = saliency
      ? `${said} Orange ink spoke for the digit, blue ink against it.`
      : "The network was not asked: the picture was refused by what the preparation saw in it.";
    this.heat.hidden = !saliency;
    if (saliency) {
      this.heat.setAttribute("aria-label", `Which ink spoke for the digit. ${said}`);
      await paint(this.heat, saliency, steps[steps.length - 1].picture);
    }
    this.section.hidden = false;
    this.section.scrollIntoView({ block: "nearest" });
  }
}

function stepFigure({ name, picture }) {
  const figure = document.createElement("figure");
  const image = document.createElement("img");
  image.src = picture;
  image.alt = "";
  const caption = document.createElement("figcaption");
  caption.textContent = name;
  figure.append(image, caption);
  return figure;
}

/** The 28x28 in grey, and over it how much each place mattered, in colour. */
async function paint(canvas, saliency, picture) {
  const image = new Image();
  image.src = picture;
  await image.decode();
  canvas.width = canvas.height = SIDE * CELL;
  const context = canvas.getContext("2d");
  context.imageSmoothingEnabled = false;
  context.fillStyle = "black";
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.globalAlpha = 0.45; // the colours over it are what matters
  context.drawImage(image, 0, 0, canvas.width, canvas.height);
  context.globalAlpha = 1;
  const strongest = Math.max(1e-6, ...saliency.flat().map(Math.abs));
  saliency.forEach((row, y) => row.forEach((value, x) => {
    const [red, green, blue] = value > 0 ? FOR : AGAINST;
    context.fillStyle = `rgb(${red} ${green} ${blue} / ${(0.85 * Math.abs(value)) / strongest})`;
    context.fillRect(x * CELL, y * CELL, CELL, CELL);
  }));
}
