// Why it says so: the steps of the preparation, which ink spoke for the digit, and what each layer found.

import * as api from "./api.js";
import { Live } from "./live.js";

const SIDE = 28;
const CELL = 8; // pixels of the heat map for each of the network's
const OVER = 560; // pixels of a side of what is laid over the stage
const FOR = [255, 138, 0];
const AGAINST = [64, 128, 255];
const STRONGEST = 0.85; // how much the strongest colour hides of what is below it

export class Why {
  /** `getPicture()` promises what is on the stage, `getReader()` names the engine that reads along, and
   *  `getPlace()` says where on the stage the picture lies ([left, top, right, bottom], shares of its side). */
  constructor(elements, { getPicture, getReader, getPlace, fail }) {
    Object.assign(this, elements, { getPicture, getReader, getPlace, fail, asked: 0, open: [] });
    this.live = new Live((picture, signal) => api.look(picture, getReader(), signal), (found) => this.show(found), fail);
    this.button.addEventListener("click", () => this.ask());
    this.follow.addEventListener("click", () => {
      this.follow.setAttribute("aria-pressed", !this.isPressed);
      this.live.stop();
    });
    this.over.addEventListener("click", () => {
      this.over.setAttribute("aria-pressed", !this.isOver);
      this.layOver();
      this.overlay.scrollIntoView({ block: "nearest" });
    });
  }

  get isOver() {
    return this.over.getAttribute("aria-pressed") === "true";
  }

  get isPressed() {
    return this.follow.getAttribute("aria-pressed") === "true";
  }

  /** Whether the look inside goes along with the drawing: while it is shown, and that was asked for. */
  get follows() {
    return this.isPressed && !this.section.hidden;
  }

  /** The picture has changed: what is shown is about another, so it goes; or follows, where that was asked for. */
  changed(hasPicture) {
    this.asked += 1;
    const { follows } = this;
    if (follows && hasPicture && this.getPlace() !== null) {
      this.live.read(this.getPicture);
      return;
    }
    this.live.stop();
    this.overlay.hidden = true;
    if (!follows) this.section.hidden = true;
  }

  async ask() {
    const asked = this.asked += 1;
    this.button.disabled = true;
    try {
      const found = await api.explain(await this.getPicture(), this.getReader());
      if (asked !== this.asked) return;
      await this.show(found);
      this.section.scrollIntoView({ block: "nearest" });
    } catch (problem) {
      this.fail(problem);
    } finally {
      this.button.disabled = false;
    }
  }

  async show({ steps, where, saliency, inside }) {
    const { asked } = this;
    this.steps.replaceChildren(...steps.map(({ name, picture }) => pictureFigure(name, picture)));
    const said = where.length ? `What spoke for it most: ${where.join(", ")}.` : "";
    const colours = saliency
      ? `${said} Orange ink spoke for the digit, blue ink against it.`
      : "Orange: where the last feature maps look like the digit (Grad-CAM). Ask “Why?” for what the ink is worth.";
    this.words.textContent = inside.length
      ? colours
      : "The network was not asked: the picture was refused by what the preparation saw in it.";
    this.heat.hidden = this.overlay.hidden = inside.length === 0;
    this.over.hidden = inside.length === 0 || this.getPlace() === null;
    this.heat.setAttribute("aria-label", saliency ? `Which ink spoke for the digit. ${said}` : "Where it looks like the digit");
    this.offerReadings(inside);
    if (inside.length) await this.showReading(inside[0]);
    else this.showLayers([]);
    if (asked === this.asked || this.follows) this.section.hidden = false;
  }

  /** A switch between the digit cut out and the picture as it stands, where it was read both ways. */
  offerReadings(inside) {
    this.readings.hidden = inside.length < 2;
    this.readings.replaceChildren(...inside.map((reading, number) => {
      const button = document.createElement("button");
      button.type = "button";
      button.textContent = `${reading.name[0].toUpperCase()}${reading.name.slice(1)}`;
      button.setAttribute("aria-pressed", number === 0);
      button.addEventListener("click", () => {
        for (const other of this.readings.children) other.setAttribute("aria-pressed", other === button);
        this.showReading(reading);
      });
      return button;
    }));
  }

  async showReading(reading) {
    this.reading = reading;
    this.layOver();
    this.showLayers(reading.layers);
    const digit = new Image();
    digit.src = reading.picture;
    await digit.decode();
    if (reading === this.reading) paint(this.heat, digit, mattered(reading)); // no newer one has come meanwhile
  }

  /** The layers of each network; what was open stays open, also after a picture that none was asked about. */
  showLayers(layers) {
    const before = [...this.layers.children];
    if (before.length) this.open = before.map((network) => network.open);
    this.layers.replaceChildren(...[...groupedByNetwork(layers)].map(([name, its], number) => (
      networkDetails(name, its, this.open[number] ?? number === 0)
    )));
  }

  /** The colours on the drawing or the picture itself, or nothing. */
  layOver() {
    const place = this.getPlace();
    this.overlay.hidden = !this.isOver || place === null;
    if (this.overlay.hidden) return;
    this.overlay.width = this.overlay.height = OVER; // which also empties it
    const [left, top, right, bottom] = place;
    const [from, above, to, below] = this.reading.field;
    const [width, height] = [right - left, bottom - top];
    this.overlay.getContext("2d").drawImage(
      colours(mattered(this.reading)),
      OVER * (left + from * width), OVER * (top + above * height),
      OVER * (to - from) * width, OVER * (below - above) * height,
    );
  }
}

function pictureFigure(name, picture) {
  const figure = document.createElement("figure");
  const image = document.createElement("img");
  image.src = picture;
  image.alt = "";
  const caption = document.createElement("figcaption");
  caption.textContent = name;
  figure.append(image, caption);
  return figure;
}

function groupedByNetwork(layers) {
  const networks = new Map();
  for (const layer of layers) networks.set(layer.network, [...(networks.get(layer.network) ?? []), layer]);
  return networks;
}

function networkDetails(name, layers, isOpen) {
  const details = document.createElement("details");
  details.open = isOpen;
  const summary = document.createElement("summary");
  summary.textContent = `Inside ${name.replaceAll("_", " ") || "the network"}: ${layers.length} layers`;
  const sheet = document.createElement("div");
  sheet.className = "layers";
  sheet.append(...layers.map(({ name: layer, maps, side, picture }) => (
    pictureFigure(`${layer.replaceAll("_", " ")}: ${maps} maps of ${side}x${side}`, picture)
  )));
  details.append(summary, sheet);
  return details;
}

/** The 28x28 in grey, and over it how much each place mattered, in colour. */
function paint(canvas, digit, felt) {
  canvas.width = canvas.height = SIDE * CELL;
  const context = canvas.getContext("2d");
  context.imageSmoothingEnabled = false;
  context.fillStyle = "black";
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.globalAlpha = 0.45; // the colours over it are what matters
  context.drawImage(digit, 0, 0, canvas.width, canvas.height);
  context.globalAlpha = 1;
  context.drawImage(colours(felt), 0, 0, canvas.width, canvas.height);
}

/** How much each of the 28x28 places mattered: by hiding the ink, else by Grad-CAM. */
function mattered({ saliency, grad_cam: maps }) {
  return saliency ?? maps?.[0].map ?? [];
}

/** A sheet of 28x28 pixels, the more of a colour the more that place mattered. */
function colours(saliency) {
  const sheet = new OffscreenCanvas(SIDE, SIDE);
  const context = sheet.getContext("2d");
  const strongest = Math.max(1e-6, ...saliency.flat().map(Math.abs));
  saliency.forEach((row, y) => row.forEach((value, x) => {
    const [red, green, blue] = value > 0 ? FOR : AGAINST;
    context.fillStyle = `rgb(${red} ${green} ${blue} / ${(STRONGEST * Math.abs(value)) / strongest})`;
    context.fillRect(x, y, 1, 1);
  }));
  return sheet;
}
