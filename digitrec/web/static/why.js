// Explanations: the steps of the preparation, the ink that supported the digit, and the feature maps.

import * as api from "./api.js";
import { by, flip, isPressed, make } from "./dom.js";
import { Live } from "./live.js";
import { patiently } from "./patience.js";

const SIDE = 28;
const CELL = 8; // pixels of the heat map for each of the network's
const OVER = 560; // pixels of a side of what is laid over the stage
const FOR = [255, 138, 0];
const AGAINST = [64, 128, 255];
const STRONGEST = 0.85; // how much the strongest colour hides of what is below it

export class Why {
  request = new AbortController(); // of the present picture
  open = []; // which networks' layers are shown

  /** `getPicture()` promises what is on the stage, `getReader()` names the engine that reads along, and
   *  `getPlace()` says where on the stage the picture lies ([left, top, right, bottom], shares of its side). */
  constructor({ getPicture, getReader, getPlace, fail }) {
    Object.assign(this, { getPicture, getReader, getPlace, fail });
    const look = (picture, signal) => api.explain(picture, getReader(), { saliency: false, signal });
    this.live = new Live(look, { show: (found) => this.show(found), fail });
    by("explain").addEventListener("click", () => this.ask());
    by("follow").addEventListener("click", () => {
      flip(by("follow"));
      this.live.stop();
    });
    by("over").addEventListener("click", () => {
      flip(by("over"));
      this.layOver();
      by("overlay").scrollIntoView({ block: "nearest" });
    });
  }

  /** Whether the feature maps follow the drawing: if they are shown and "Follow the drawing" is on. */
  get follows() {
    return isPressed(by("follow")) && !by("reasons").hidden;
  }

  /** The picture has changed: remove the explanation, or update it if it follows the drawing. */
  changed(hasPicture) {
    this.request.abort();
    this.request = new AbortController();
    const { follows } = this;
    if (follows && hasPicture && this.getPlace() !== null) {
      this.live.read(this.getPicture);
      return;
    }
    this.live.stop();
    by("overlay").hidden = true;
    by("reasons").hidden = !follows;
  }

  async ask() {
    const { signal } = this.request;
    by("explain").disabled = true;
    try {
      const picture = await this.getPicture();
      const found = await patiently(() => api.explain(picture, this.getReader(), { saliency: true, signal }), { signal });
      if (signal.aborted) return;
      await this.show(found);
      by("reasons").scrollIntoView({ block: "nearest" });
    } catch (problem) {
      if (!signal.aborted) this.fail(problem);
    } finally {
      by("explain").disabled = false;
    }
  }

  async show(found) {
    const { signal } = this.request;
    const { steps, where, saliency, grad_cam: maps, field, layers } = found;
    const hasColours = Boolean(saliency ?? maps);
    by("steps").replaceChildren(...steps.map(({ name, picture }) => pictureFigure(name, picture)));
    const said = where.length ? `The ink that mattered most: ${where.join(", ")}.` : "";
    by("reasons-words").textContent = field === null
      ? "The network was not asked, because the preparation refused the picture."
      : saliency ? `${said} Orange ink supported the digit, blue ink contradicted it.`
        : `${maps ? "Orange: where the last feature maps look like the digit (class activation map)." : "This model has no feature maps."} Click “Why?” to see how much each part of the ink matters.`;
    by("heat").hidden = by("overlay").hidden = !hasColours;
    by("over").hidden = !hasColours || this.getPlace() === null;
    by("heat").ariaLabel = saliency ? `The ink that supported the digit. ${said}` : "Where it looks like the digit";
    this.showLayers(layers);
    if (hasColours) await this.showHeat(found);
    if (!signal.aborted || this.follows) by("reasons").hidden = false;
  }

  async showHeat(found) {
    this.found = found;
    this.layOver();
    const digit = new Image();
    digit.src = found.steps.at(-1).picture;
    await digit.decode();
    if (found === this.found) paint(by("heat"), digit, mattered(found)); // no newer one has come meanwhile
  }

  /** The layers of each network; open ones stay open for the next picture. */
  showLayers(layers) {
    const before = [...by("layers").children];
    if (before.length) this.open = before.map((network) => network.open);
    by("layers").replaceChildren(...[...Map.groupBy(layers, ({ network }) => network)].map(([name, its], number) => (
      networkDetails(name, its, this.open[number] ?? number === 0)
    )));
  }

  /** The colours on the drawing or the picture itself, or nothing. */
  layOver() {
    const place = this.getPlace();
    const overlay = by("overlay");
    overlay.hidden = !isPressed(by("over")) || place === null;
    if (overlay.hidden) return;
    overlay.width = overlay.height = OVER; // which also empties it
    const [left, top, right, bottom] = place.map((share) => share * OVER);
    const [from, above, to, below] = this.found.field;
    const [width, height] = [right - left, bottom - top];
    overlay.getContext("2d").drawImage(
      colours(mattered(this.found)),
      left + from * width, top + above * height, (to - from) * width, (below - above) * height,
    );
  }
}

function pictureFigure(name, picture) {
  return make("figure", {}, make("img", { src: picture, alt: "" }), make("figcaption", {}, name));
}

function networkDetails(name, layers, isOpen) {
  const title = `Inside ${name.replaceAll("_", " ") || "the network"}: ${layers.length} layers`;
  const figures = layers.map(({ name: layer, maps, side, picture }) => (
    pictureFigure(`${layer.replaceAll("_", " ")}: ${maps} maps of ${side}x${side}`, picture)
  ));
  return make("details", { open: isOpen }, make("summary", {}, title), make("div", { className: "layers" }, ...figures));
}

/** The 28x28 in grey, and over it how much each place mattered, in colour. */
function paint(canvas, digit, felt) {
  canvas.width = canvas.height = SIDE * CELL;
  const context = canvas.getContext("2d");
  context.imageSmoothingEnabled = false;
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.globalAlpha = 0.45; // the colours over it are what matters
  context.drawImage(digit, 0, 0, canvas.width, canvas.height);
  context.globalAlpha = 1;
  context.drawImage(colours(felt), 0, 0, canvas.width, canvas.height);
}

/** How much each of the 28x28 places mattered: by hiding the ink, else by the class activation map. */
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
