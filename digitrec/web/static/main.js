// The page: paper, pictures and camera on one side, what is read on the other.

import * as api from "./api.js";
import { Comparison } from "./compare.js";
import { Connection } from "./connection.js";
import { History } from "./history.js";
import { KeyDialog } from "./key.js";
import { Label } from "./label.js";
import { Live } from "./live.js";
import { Pad } from "./pad.js";
import { Camera, contained, lightened, listenForPictures, shownPicture } from "./pictures.js";
import { offerSamples } from "./samples.js";
import { offerSharing } from "./share.js";
import { isTap, pictureOf } from "./strokes.js";
import { Timeline } from "./timeline.js";
import { inWords, isStale, showGone, showNothing, showReading, toast } from "./view.js";
import { Why } from "./why.js";

const SETTLED_MS = 700;
const FRAME_MS = 250;

const by = (id) => document.getElementById(id);
const stage = by("stage");

let subjects = 0; // one for each drawing, picture or thing held before the camera
let reader = null; // the engine that reads along: the first that is free
let settling = null;
let verdict = ""; // what was said last
let remember = () => {}; // puts what was said last into the history
let shown = null; // the last reading and its picture, for the card
let look = null; // a picture on the stage as this browser can show it

const timeline = new Timeline({ strokes: [], picture: null, subject: subjects });
const pad = new Pad(by("pad"), { changed: drawing, done: drawn });
const camera = new Camera(by("video"));
const live = new Live((picture, signal) => api.predict(picture, reader.name, signal), show, fail);
const history = new History({ list: by("history"), section: by("past"), forget: by("forget") }, recall);
const comparison = new Comparison(
  { button: by("compare"), columns: by("columns"), agreement: by("agreement") }, currentPicture, fail,
);
const why = new Why(
  {
    button: by("explain"), section: by("reasons"), steps: by("steps"), words: by("reasons-words"), heat: by("heat"),
    over: by("over"), follow: by("follow"), overlay: by("overlay"), readings: by("readings"), layers: by("layers"),
  },
  { getPicture: currentPicture, getReader: () => reader.name, getPlace: place, fail },
);
const label = new Label({ section: by("label"), choices: by("choices"), thanks: by("thanks") }, currentPicture, fail);
const connection = new Connection(by("gone"), start);
const keys = new KeyDialog(
  { dialog: by("key-dialog"), input: by("key"), wrong: by("key-wrong"), later: by("key-later"), button: by("key-button") },
  read,
);

by("width").addEventListener("input", (event) => { pad.width = event.target.value / 100; });
by("undo").addEventListener("click", () => walk(() => timeline.undo()));
by("redo").addEventListener("click", () => walk(() => timeline.redo()));
by("clear").addEventListener("click", clear);
by("erase").addEventListener("click", () => {
  pad.erasing = !pad.erasing;
  by("erase").setAttribute("aria-pressed", pad.erasing);
});
by("camera").addEventListener("click", () => (camera.on ? putAway() : startCamera()));
document.addEventListener("keydown", shortcut);
addEventListener("themechange", () => pad.draw());
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => pad.draw());
listenForPictures({ button: by("choose"), input: by("file"), stage }, takePicture);
offerSamples(by("samples"), takePicture, () => connection.lost());
offerSharing(
  { save: by("save"), share: by("share"), curl: by("curl"), python: by("python") },
  () => ({ picture: shown.asShown(), reading: shown.reading }), currentPicture, () => !by("key-button").hidden,
);
start();

async function start() {
  try {
    const { providers, key_needed: keyNeeded, collects } = await api.providers();
    reader = providers.find((engine) => engine.usd_per_picture === 0) ?? null;
    comparison.offer(providers);
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
  if (!by("picture").hidden) flush();
  by("picture").hidden = true;
  stage.classList.add("drawn");
  isStale(true);
  why.changed(true);
  if (!isTap(pad.drawing)) read();
}

/** A stroke has ended. */
function drawn(strokes) {
  const goesOn = timeline.now.strokes.length > 0;
  const subject = goesOn ? timeline.now.subject : (subjects += 1);
  timeline.push({ strokes, picture: null, subject });
  render();
}

async function takePicture(file) {
  const picture = await lightened(file);
  put({ strokes: [], picture, subject: (subjects += 1) });
}

/** Something that was on the stage comes back to it. */
function recall(state) {
  put({ ...state });
  stage.scrollIntoView({ block: "nearest" });
}

/** Empty paper; what was on it is one "Undo" away. */
function clear() {
  if (camera.on) putAway();
  else put({ strokes: [], picture: null, subject: (subjects += 1) });
}

function put(state) {
  flush();
  if (camera.on) stopCamera();
  live.stop();
  timeline.push(state);
  render();
}

function walk(step) {
  flush();
  if (camera.on) stopCamera();
  live.stop();
  step();
  render();
}

/** Show the stage as it now is, and read it. */
async function render() {
  const { now } = timeline;
  const empty = isEmpty(now);
  pad.show(now.strokes);
  stage.classList.toggle("drawn", !empty);
  by("undo").disabled = !timeline.canUndo;
  by("redo").disabled = !timeline.canRedo;
  by("clear").disabled = empty;
  changed(!empty);
  if (empty) {
    live.stop();
    forget();
    showNothing();
  } else read();
  look = await shownPicture(by("picture"), now.picture, api.thumbnail).catch(() => null); // reading it says why
  by("picture").hidden = look === null || timeline.now !== now || pad.active !== null;
}

function changed(hasPicture) {
  isStale(hasPicture);
  comparison.reset(hasPicture);
  label.reset(hasPicture);
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
    toast(`Camera: ${error.message}.`);
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
  by("camera").setAttribute("aria-pressed", on);
  by("camera").querySelector("span").textContent = on ? "Stop" : "Camera";
}

/** Have it read, where that costs nothing; else it is for the comparison's buttons. */
function read() {
  if (keys.missing || !(camera.on || pad.active || !isEmpty(timeline.now))) return;
  if (connection.gone) showGone();
  else if (reader !== null) live.read(currentPicture);
}

function show(reading, picture, ms) {
  const isDrawing = !camera.on && (pad.active !== null || timeline.now.picture === null);
  const isEarly = isDrawing && (pad.active !== null || isTap(pad.drawing)) && reading.prediction === null;
  if (isEarly || (isDrawing && reading.reason === "blank")) {
    showNothing("Go on");
    return;
  }
  const state = camera.on ? { strokes: [], picture, subject: subjects } : timeline.now;
  const asShown = () => (isDrawing || camera.on ? picture : look ?? picture);
  shown = { asShown, reading };
  by("actions").hidden = false;
  showReading(reading, ms);
  if (isDrawing && isTap(pad.drawing)) return; // told, and no more
  if (isDrawing && pad.active !== null) { // remembered, if nothing is read after it
    remember = () => { if (!isEmpty(timeline.now)) history.put(timeline.now, reading, picture); };
    return;
  }
  settle(inWords(reading), () => history.put(state, reading, asShown()));
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

/** Put what was read last into the history, however short the look was. */
function flush() {
  clearTimeout(settling);
  remember();
  remember = () => {};
}

function forget() {
  verdict = "";
  shown = null;
  by("actions").hidden = true;
}

function fail(problem) {
  if (problem.status === 0) {
    showGone();
    connection.lost();
    return;
  }
  if (problem.status === 401) {
    showNothing("Waiting for a key");
    keys.refused();
    return;
  }
  isStale(false);
  toast(`That did not work: ${problem.message}.`);
  if ([413, 422].includes(problem.status) && timeline.now.picture) takeBack();
}

/** What was chosen is no picture: back to what was there before. */
function takeBack() {
  timeline.drop(timeline.now);
  render();
}
