// The page: paper, pictures and camera on one side, what is read on the other.

import * as api from "./api.js";
import { Comparison } from "./compare.js";
import { Connection } from "./connection.js";
import { by, makeButton } from "./dom.js";
import { History } from "./history.js";
import { KeyDialog } from "./key.js";
import { Live } from "./live.js";
import { Pad } from "./pad.js";
import { Camera, contained, lightened, listenForPictures, shownPicture } from "./pictures.js";
import { offerSharing } from "./share.js";
import { isTap, pictureOf } from "./strokes.js";
import { Timeline } from "./timeline.js";
import * as view from "./view.js";
import { Why } from "./why.js";

const SETTLED_MS = 700;
const FRAME_MS = 250;

const stage = by("stage");
let subjects = 0; // one for each drawing, picture or thing held before the camera
let reader; // the engine that reads along: the first that is free; null: none is; undefined: not known yet
let largest = Infinity; // bytes of a picture that the server takes
let choices = 0; // pictures that were chosen; only the last one is shown
let settling = null;
let verdict = ""; // what was said last
let remember = () => {}; // puts the last reading into the history
let shown = null; // the last reading and its picture, for the card
let look = null; // a picture on the stage as this browser can show it

const timeline = new Timeline({ strokes: [], picture: null, subject: subjects });
const pad = new Pad(by("pad"), { changed: drawing, done: drawn });
const camera = new Camera(by("video"));
const ask = (picture, signal) => api.predict(picture, reader.name, signal, (share) => !signal.aborted && view.showProgress(share));
const live = new Live(ask, { show, fail, wait });
const history = new History(put);
const comparison = new Comparison(currentPicture, complain);
const why = new Why({ getPicture: currentPicture, getReader: () => reader.name, getPlace: place, fail: complain });
const connection = new Connection(start);
const keys = new KeyDialog(start);

by("width").addEventListener("input", (event) => { pad.width = event.target.value / 100; });
by("undo").addEventListener("click", () => walk(() => timeline.undo()));
by("redo").addEventListener("click", () => walk(() => timeline.redo()));
by("clear").addEventListener("click", clear);
by("erase").addEventListener("click", () => {
  pad.erasing = !pad.erasing;
  by("erase").ariaPressed = pad.erasing;
});
by("camera").addEventListener("click", () => (camera.on ? putAway() : startCamera()));
by("choices").append(...[..."0123456789", "none"].map((digit) => (
  makeButton(digit === "none" ? "no digit" : digit, () => keepLabel(digit))
)));
document.addEventListener("keydown", shortcut);
addEventListener("themechange", () => pad.draw());
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => pad.draw());
listenForPictures(takePicture, () => connection.lost(new api.Problem("the sample did not arrive")));
offerSharing(
  () => ({ picture: shown.asShown(), reading: shown.reading }), currentPicture, () => !by("key-button").hidden,
);
start();

async function start() {
  try {
    const { providers, key_needed: keyNeeded, collects, max_body_bytes: bytes } = await api.providers();
    reader = providers.find((engine) => engine.usd_per_picture === 0) ?? null;
    largest = bytes;
    comparison.engines = providers;
    by("comparison").hidden = providers.length < 2 && reader !== null;
    by("explain").hidden = !reader?.explains;
    by("label").hidden = by("collecting").hidden = !collects;
    if (keyNeeded) keys.need();
    read();
  } catch (problem) {
    fail(problem);
  }
}

function shortcut(event) {
  const onPad = event.target === by("pad");
  if (event.target.matches("input:not([type=range]), dialog *")) return;
  const pressed = event.key.toLowerCase();
  if (event.ctrlKey || event.metaKey) {
    if (pressed === "z") walk(() => (event.shiftKey ? timeline.redo() : timeline.undo()));
    else if (pressed === "y") walk(() => timeline.redo());
    else return;
  } else if (onPad && event.key === "Backspace") walk(() => timeline.undo());
  else if (onPad && event.key === "Delete") clear();
  else return;
  event.preventDefault();
}

/** A stroke grows: it is read along, as soon as there is more than a dot. */
function drawing() {
  if (camera.on) stopCamera();
  const isNew = timeline.now.picture !== null || isEmpty(timeline.now);
  if (isNew && pad.active.points.length === 1) {
    flush();
    view.hideToast();
    changed(true);
  } else {
    view.showStale();
    why.changed(true);
  }
  by("picture").hidden = true;
  stage.classList.add("drawn");
  if (!isTap(pad.drawing)) read();
}

/** A stroke has ended. */
function drawn(strokes) {
  const goesOn = timeline.now.strokes.length > 0;
  const subject = goesOn ? timeline.now.subject : (subjects += 1);
  timeline.push({ strokes, picture: null, subject });
  render(true);
}

async function takePicture(file) {
  const choice = choices += 1;
  view.hideToast();
  view.showBusy();
  try {
    const picture = await lightened(file);
    if (choice !== choices) return;
    if (picture.size > largest) {
      const [has, takes] = [picture.size, largest].map((bytes) => `${(bytes / 1e6).toFixed(1)} MB`);
      throw new Error(`the picture has ${has}, and this server takes ${takes}; choose a smaller one`);
    }
    put({ strokes: [], picture, subject: (subjects += 1) });
  } catch (error) {
    await render();
    view.toast(view.sentence(error.message));
  }
}

/** Empty paper; what was on it is one "Undo" away. */
function clear() {
  if (camera.on) putAway();
  else put({ strokes: [], picture: null, subject: (subjects += 1) });
}

function put(state) {
  walk(() => timeline.push(state));
  stage.scrollIntoView({ block: "nearest" });
}

function walk(step) {
  view.hideToast();
  flush();
  if (camera.on) stopCamera();
  live.stop();
  step();
  render();
}

/** Show the stage as it now is, and read it. `isGrown`: it is the drawing of a moment ago with another stroke. */
async function render(isGrown = false) {
  const { now } = timeline;
  const empty = isEmpty(now);
  pad.show(now.strokes);
  stage.classList.toggle("drawn", !empty);
  by("undo").disabled = !timeline.canUndo;
  by("redo").disabled = !timeline.canRedo;
  by("clear").disabled = empty;
  changed(!empty, isGrown);
  if (empty) {
    live.stop();
    verdict = "";
    view.showNothing();
  } else read();
  look = await shownPicture(by("picture"), now.picture, api.thumbnail).catch(() => null); // reading it says why
  by("picture").hidden = look === null || timeline.now !== now || pad.active !== null;
}

/** What was said so far is about another picture, or about less of a drawing. */
function changed(hasPicture, isGrown = false) {
  if (isGrown) view.showStale();
  else {
    view.showBusy();
    by("actions").hidden = true;
  }
  comparison.reset(hasPicture);
  allowLabel(hasPicture && reader === null);
  why.changed(hasPicture);
}

function isEmpty({ strokes, picture }) {
  return strokes.length === 0 && picture === null;
}

async function currentPicture() {
  if (camera.on) return camera.frame();
  return (!pad.active && timeline.now.picture) || pictureOf(pad.drawing);
}

/** Where on the stage the picture lies that is read; null: it moves. */
function place() {
  if (camera.on) return null;
  return by("picture").hidden ? [0, 0, 1, 1] : contained(by("picture"));
}

async function startCamera() {
  try {
    await camera.start();
  } catch (error) {
    view.toast(`Camera: ${error.message}.`);
    return;
  }
  flush();
  subjects += 1;
  showCamera(true);
  by("clear").disabled = false;
  changed(true);
  watch();
}

/** Read frame after frame; the next is asked for when the one before is answered. */
function watch() {
  if (!camera.on) return;
  if (!live.busy && !document.hidden) read();
  setTimeout(watch, FRAME_MS);
}

function stopCamera() {
  camera.stop();
  showCamera(false);
  live.stop();
}

/** No camera any more; what was on the stage before is there again. */
function putAway() {
  stopCamera();
  flush();
  render();
}

function showCamera(on) {
  by("video").hidden = by("guide").hidden = !on;
  by("camera").ariaPressed = on;
  by("camera").querySelector("span").textContent = on ? "Stop" : "Camera";
}

/** Have it read, where that costs nothing; else it is for the comparison's buttons. */
function read() {
  if (!(camera.on || pad.active || !isEmpty(timeline.now))) return;
  if (keys.missing) view.showNothing("Waiting for a key");
  else if (connection.gone) view.showNothing("No answer", "The server is not answering.");
  else if (reader) live.read(currentPicture);
  else if (reader === null) view.showNothing("Not read yet", "Every engine here costs money: press “Compare” to choose.");
}

function show(reading, picture, ms) {
  connection.good();
  const isDrawing = !camera.on && (pad.active !== null || timeline.now.picture === null);
  const isEarly = isDrawing && (pad.active !== null || isTap(pad.drawing)) && reading.prediction === null;
  allowLabel(!isEarly && reading.reason !== "blank");
  if (isEarly || (isDrawing && reading.reason === "blank")) {
    view.showNothing("Go on");
    return;
  }
  const state = camera.on ? { strokes: [], picture, subject: subjects } : timeline.now;
  const asShown = () => (isDrawing || camera.on ? picture : look ?? picture);
  shown = { asShown, reading };
  by("actions").hidden = false;
  view.showReading(reading, ms);
  if (isDrawing && isTap(pad.drawing)) return; // told, and no more
  if (isDrawing && pad.active !== null) { // remembered, if nothing is read after it
    remember = () => { if (!isEmpty(timeline.now)) history.put(timeline.now, reading, picture); };
    return;
  }
  settle(view.inWords(reading), () => history.put(state, reading, asShown()));
  if (camera.on) comparison.reset(true);
}

/** Tell a screen reader and the history what is read, once it has stayed the same for a moment. */
function settle(words, keep) {
  const seen = camera.on ? words.slice(0, 1) : words; // a camera's percentages never stand still
  if (seen === verdict && camera.on) return;
  verdict = seen;
  remember = keep;
  clearTimeout(settling);
  settling = setTimeout(() => {
    by("announcement").textContent = words;
    flush();
    if (camera.on) subjects += 1;
  }, SETTLED_MS);
}

/** Put the last reading into the history, however short the look was. */
function flush() {
  clearTimeout(settling);
  remember();
  remember = () => {};
}

/** Label buttons work only while there is something to label. */
function allowLabel(isAllowed) {
  by("label").disabled = !isAllowed;
  if (!isAllowed) by("thanks").textContent = "";
}

async function keepLabel(digit) {
  try {
    await api.label(await currentPicture(), digit);
    by("thanks").textContent = `Thank you: kept as ${digit === "none" ? "no digit" : `a ${digit}`}.`;
  } catch (problem) {
    complain(problem);
  }
}

/** The server is busy: say when it is asked again. */
function wait(problem, seconds) {
  view.showNothing("Waiting", `${view.sentence(problem.message)} Asking again in ${Math.ceil(seconds)} s.`);
}

/** What is on the stage could not be read: nothing else may stand there as its answer. */
function fail(problem) {
  view.showNothing(problem.status === 401 ? "Waiting for a key" : "No answer", view.sentence(problem.message));
  complain(problem);
  if (!problem.isForeign && [413, 422].includes(problem.status) && timeline.now.picture) {
    timeline.drop(); // what was chosen is no picture: back to what was there before
    render();
  }
}

/** Say that something did not work. */
function complain(problem) {
  if (problem.status === 401) keys.refused();
  else if (problem.status === 0 || problem.isForeign) connection.lost(problem);
  else view.toast(`That did not work: ${problem.message}.`);
}
