// The page: paper, pictures and camera on one side, the reading on the other.

import * as api from "./api.js";
import { listenForCompare, resetCompare } from "./compare.js";
import { Connection } from "./connection.js";
import { by, flip, makeButton } from "./dom.js";
import { listenForRecall, remember } from "./history.js";
import { isKeyMissing, keyRefused, listenForKey, needKey } from "./key.js";
import { Live } from "./live.js";
import { Pad } from "./pad.js";
import { patiently } from "./patience.js";
import { Camera, contained, lightened, listenForPictures, shownPicture } from "./pictures.js";
import { isTap, pictureOf } from "./strokes.js";
import { Timeline } from "./timeline.js";
import { Numbers } from "./numbers.js";
import * as view from "./view.js";
import { Why } from "./why.js";

const SETTLED_MS = 700;
const FRAME_MS = 250;

const stage = by("stage");
let engines = []; // those on offer
let reader; // the engine that reads along: the first that `api.isFree`; null: none is; undefined: not known yet
let numbersReader; // the free engine that reads whole numbers, if there is one
let largest = Infinity; // bytes of a picture that the server takes
let subjects = 0; // one for each drawing, picture or thing held before the camera
let choices = 0; // pictures that were chosen, and what was done since: a picture that arrives after that is not shown
let settling; // a timer: the reading stays the same
let settled = ""; // what was said last
let keep = () => {}; // puts the last reading into the history
let isStarting = false; // the camera waits for permission
let look = null; // a picture on the stage as this browser can show it

const timeline = new Timeline(fresh());
const pad = new Pad(by("pad"), { changed: drawing, done: drawn });
const camera = new Camera(by("video"));
const ask = (picture, signal) => api.predict(picture, reader.name, signal, (share) => !signal.aborted && view.showProgress(share));
const live = new Live(ask, { show, fail, wait });
const why = new Why({ getPicture: currentPicture, getReader: () => reader.name, getPlace: place, fail: complain });
const numbers = new Numbers({ getPlace: () => (by("picture").hidden ? null : contained(by("picture"))), fail: complain });
const connection = new Connection(start);

by("width").addEventListener("input", (event) => { pad.width = event.target.value / 100; });
by("undo").addEventListener("click", () => walk(-1));
by("redo").addEventListener("click", () => walk(1));
by("clear").addEventListener("click", clear);
by("erase").addEventListener("click", () => { pad.erasing = flip(by("erase")); });
by("camera").addEventListener("click", () => (camera.on ? putAway() : startCamera()));
document.addEventListener("keydown", shortcut);
addEventListener("themechange", () => pad.draw());
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => pad.draw());
listenForPictures(takePicture);
listenForCompare(() => engines, currentPicture, complain);
listenForRecall(put);
listenForKey(start);
start();

async function start() {
  try {
    const { providers, key_needed: keyNeeded, max_body_bytes: bytes } = await patiently(api.providers);
    engines = providers;
    reader = engines.find(api.isFree) ?? null;
    numbersReader = engines.find((engine) => api.isFree(engine) && engine.reads_numbers);
    largest = bytes;
    by("comparison").hidden = engines.length < 2 && reader !== null;
    by("explain").hidden = !reader?.explains;
    if (keyNeeded) needKey();
    if (!look) showPicture(); // its preview failed
    read();
  } catch (problem) {
    fail(problem);
  }
}

function shortcut(event) {
  if (event.target.matches("input:not([type=range]), dialog *")) return;
  const pressed = event.key.toLowerCase();
  const onPad = event.target === by("pad");
  if (event.ctrlKey || event.metaKey) {
    if (pressed === "z") walk(event.shiftKey ? 1 : -1);
    else if (pressed === "y") walk(1);
    else return;
  } else if (onPad && pressed === "backspace") walk(-1);
  else if (onPad && pressed === "delete") clear();
  else return;
  event.preventDefault();
}

/** An empty stage, or a picture on it, as a state of the timeline. */
function fresh(picture = null) {
  return { strokes: [], picture, subject: subjects += 1 };
}

function isEmpty({ strokes, picture } = timeline.now) {
  return strokes.length === 0 && picture === null;
}

/** A stroke grows: read it live once it is more than a dot. */
function drawing() {
  choices += 1;
  if (camera.on) stopCamera();
  const isNew = timeline.now.picture !== null || isEmpty();
  if (isNew && pad.active.points.length === 1) {
    flush();
    view.hideToast();
    changed(true);
  } else {
    view.showStale();
    why.changed(true);
    numbers.hide();
  }
  by("picture").hidden = true;
  stage.classList.add("drawn");
  if (!isTap(pad.drawing)) read();
}

/** A stroke has ended. */
function drawn(strokes) {
  const { subject } = timeline.now.strokes.length ? timeline.now : fresh();
  timeline.push({ strokes, picture: null, subject });
  render(true);
}

/** Show and read a file; `others` are the files that came with it. */
async function takePicture(file, others) {
  const choice = choices += 1;
  view.hideToast();
  view.showBusy();
  try {
    const picture = await lightened(await file);
    if (choice !== choices) return;
    if (picture.size > largest) {
      const [has, takes] = [picture.size, largest].map((bytes) => `${(bytes / 1e6).toFixed(1)} MB`);
      throw new Error(`the picture has ${has}, and this server takes ${takes}; choose a smaller one`);
    }
    const copy = new Blob([await picture.arrayBuffer()], { type: picture.type }); // the file may change on the disk
    if (choice !== choices) return;
    put(fresh(copy));
    if (others) view.toast(`Only the first of ${others + 1} files is read: the page takes one at a time.`);
  } catch (error) {
    if (choice !== choices) return;
    await render();
    if (error instanceof api.Problem) complain(error);
    else view.toast(view.sentence(error.message));
  }
}

/** Clear the paper; "Undo" restores it. */
function clear() {
  if (camera.on) putAway();
  else put(fresh());
}

function put(state) {
  pad.end();
  leave();
  timeline.push(state);
  render();
  stage.scrollIntoView({ block: "nearest" });
}

function walk(step) {
  pad.end();
  if (!timeline.has(step)) return;
  leave();
  timeline.walk(step);
  render();
}

/** Clear the stage. */
function leave() {
  choices += 1;
  view.hideToast();
  flush();
  if (camera.on) stopCamera();
  live.stop();
}

/** Show the stage as it now is, and read it. `isGrown`: it is the same drawing with another stroke. */
function render(isGrown = false) {
  const empty = isEmpty();
  pad.show(timeline.now.strokes);
  stage.classList.toggle("drawn", !empty);
  by("undo").disabled = !timeline.has(-1);
  by("redo").disabled = !timeline.has(1);
  by("clear").disabled = empty;
  changed(!empty, isGrown);
  if (empty) {
    live.stop();
    settled = "";
    view.showNothing();
  } else read();
  return showPicture();
}

async function showPicture() {
  const { now } = timeline;
  const isWanted = () => timeline.now === now;
  by("picture").hidden = true;
  const thumbnail = (picture) => patiently(() => api.thumbnail(picture));
  const shown = await shownPicture(by("picture"), now.picture, thumbnail, isWanted).catch(() => null); // reading it says why
  if (!isWanted()) return;
  look = shown;
  by("picture").hidden = look === null || pad.active !== null;
  numbers.layOver();
}

/** The shown answers are about another picture, or an earlier state of the drawing. */
function changed(hasPicture, isGrown = false) {
  if (isGrown) view.showStale();
  else {
    view.showBusy();
    by("actions").hidden = true;
  }
  resetCompare(hasPicture);
  why.changed(hasPicture);
  numbers.hide();
}

async function currentPicture() {
  if (camera.on) return camera.frame();
  return (!pad.active && timeline.now.picture) || pictureOf(pad.drawing);
}

/** The place of the picture on the stage; null: it moves. */
function place() {
  if (camera.on) return null;
  return by("picture").hidden ? [0, 0, 1, 1] : contained(by("picture"));
}

async function startCamera() {
  if (isStarting) return;
  isStarting = true;
  try {
    await camera.start();
  } catch (error) {
    view.toast(`Camera: ${error.message}.`);
    return;
  } finally {
    isStarting = false;
  }
  choices += 1;
  flush();
  subjects += 1;
  showCamera();
  by("clear").disabled = false;
  changed(true);
  watch();
}

/** Read one frame after the other; the next request follows the previous answer. */
function watch() {
  if (!camera.on) return;
  if (!live.busy && !document.hidden) read();
  setTimeout(watch, FRAME_MS);
}

function stopCamera() {
  camera.stop();
  showCamera();
  live.stop();
}

/** Stop the camera and restore the previous stage. */
function putAway() {
  leave();
  render();
}

function showCamera() {
  by("video").hidden = by("guide").hidden = !camera.on;
  by("camera").ariaPressed = camera.on;
  by("camera").querySelector("span").textContent = camera.on ? "Stop" : "Camera";
}

/** Read the picture if an engine is free; else the comparison's buttons do. */
function read() {
  if (!camera.on && !pad.active && isEmpty()) return;
  if (isKeyMissing()) view.showNothing("Waiting for a key");
  else if (connection.gone) view.showNothing("No answer", "The server is not answering.");
  else if (reader) live.read(currentPicture);
  else if (reader === null) view.showNothing("Not read yet", "Every engine here costs money or is elsewhere: press “Compare” to choose.");
}

function show(reading, picture, ms) {
  connection.good();
  const isDrawing = !camera.on && (pad.active !== null || timeline.now.picture === null);
  const isDot = isDrawing && isTap(pad.drawing);
  const isEarly = isDrawing && (pad.active !== null || isDot) && reading.prediction === null;
  if (isEarly || (isDrawing && reading.reason === "blank")) {
    view.showNothing("Go on");
    return;
  }
  const state = camera.on ? { strokes: [], picture, subject: subjects } : timeline.now;
  const asShown = () => (isDrawing || camera.on ? picture : look ?? picture);
  by("actions").hidden = false;
  view.showReading(reading, ms);
  if (isDot) return; // told, and no more
  if (pad.active) { // remembered, if nothing is read after it
    keep = () => { if (!isEmpty()) remember(timeline.now, view.summary(reading), picture); };
    return;
  }
  const tell = (summary) => settle(summary.words, () => remember(state, summary, asShown()));
  const single = view.summary(reading);
  const mayBeNumbers = reading.prediction === null && reading.reason !== "blank";
  if (mayBeNumbers && numbersReader && !camera.on) {
    numbers.read(picture, numbersReader.name, (summary) => tell(summary ?? single));
  } else tell(single);
}

/** Report a reading to screen readers and the history once it is stable for a moment. */
function settle(words, keepIt) {
  const seen = camera.on ? words.slice(0, 1) : words; // a camera's percentages never stand still
  if (seen === settled && camera.on) return;
  if (camera.on) {
    resetCompare(true);
    why.changed(true);
  }
  settled = seen;
  keep = keepIt;
  clearTimeout(settling);
  settling = setTimeout(() => {
    by("announcement").textContent = words;
    flush();
    if (camera.on) subjects += 1;
  }, SETTLED_MS);
}

/** Put the last reading into the history at once. */
function flush() {
  clearTimeout(settling);
  keep();
  keep = () => {};
}

/** The server is busy: show when the page retries. */
function wait(problem, seconds) {
  view.showNothing("Waiting", `${view.sentence(problem.message)} Asking again in ${Math.ceil(seconds)} s.`);
}

/** The stage could not be read: remove every other answer. */
function fail(problem) {
  view.showNothing(problem.status === 401 ? "Waiting for a key" : "No answer", view.sentence(problem.message));
  complain(problem);
  if (!problem.isForeign && [413, 422].includes(problem.status) && timeline.now.picture && !pad.active) {
    timeline.drop(); // what was chosen is no picture: back to what was there before
    render();
  }
}

/** Show an error. */
function complain(problem) {
  if (problem.status === 401) keyRefused();
  else if (problem.status === 0 || problem.isForeign) connection.lost(problem);
  else view.toast(`That did not work: ${problem.message}.`);
}
