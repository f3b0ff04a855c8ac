// The page: paper, pictures and camera on one side, what is read on the other.

import * as api from "./api.js";
import { Comparison } from "./compare.js";
import { History } from "./history.js";
import { Live } from "./live.js";
import { Pad } from "./pad.js";
import { Camera, lightened, listenForPictures } from "./pictures.js";
import { inWords, showNothing, showReading, toast } from "./view.js";

const SETTLED_MS = 700;
const FRAME_MS = 120;

const by = (id) => document.getElementById(id);
const stage = by("stage");

const pad = new Pad(by("pad"), drawingChanged);
const camera = new Camera(by("video"));
const live = new Live((picture) => api.predict(picture, reader), show, fail);
const history = new History({ list: by("history"), section: by("past"), forget: by("forget") });
const comparison = new Comparison(
  { button: by("compare"), columns: by("columns"), agreement: by("agreement") },
  () => current(),
  fail,
);

let reader = null; // the engine that reads along: the first that is free
let current = null; // makes the picture that is on the stage; null when there is none
let subject = 0; // one for each drawing, picture or thing held before the camera
let settling = null;
let verdict = "";

by("width").addEventListener("input", (event) => { pad.width = event.target.value / 100; });
by("undo").addEventListener("click", () => pad.undo());
by("clear").addEventListener("click", clear);
by("camera").addEventListener("click", () => (camera.on ? clear() : startCamera()));
document.addEventListener("keydown", (event) => {
  if (event.key === "z" && (event.ctrlKey || event.metaKey) && !pad.empty) pad.undo();
});
listenForPictures({ button: by("choose"), input: by("file"), stage }, takePicture);
by("key-dialog").addEventListener("close", () => {
  if (!by("key").value) return;
  api.useKey(by("key").value);
  if (current) read();
});
start();

async function start() {
  try {
    const { providers } = await api.providers();
    reader = providers.find((engine) => engine.usd_per_picture === 0)?.name ?? null;
    comparison.offer(providers);
    by("comparison").hidden = providers.length < 2 && reader !== null;
    if (current) read();
  } catch (problem) {
    fail(problem);
  }
}

function drawingChanged() {
  stage.classList.toggle("drawn", !pad.empty);
  by("undo").disabled = pad.empty;
  put(pad.empty ? null : () => pad.blob());
}

async function takePicture(file) {
  clear();
  const picture = await lightened(file);
  URL.revokeObjectURL(by("picture").src);
  by("picture").src = URL.createObjectURL(picture);
  by("picture").hidden = false;
  put(async () => picture);
}

async function startCamera() {
  clear();
  try {
    await camera.start();
  } catch (error) {
    toast(`Camera: ${error.message}.`);
    return;
  }
  showCamera(true);
  put(() => camera.frame());
  watch();
}

/** Read frame after frame; the next is asked for when the one before is answered. */
function watch() {
  if (!camera.on) return;
  if (!live.busy && !document.hidden) read();
  setTimeout(watch, FRAME_MS);
}

function showCamera(on) {
  by("video").hidden = by("guide").hidden = !on;
  by("camera").setAttribute("aria-pressed", on);
  by("camera").querySelector("span").textContent = on ? "Stop" : "Camera";
}

/** Back to empty paper. */
function clear() {
  camera.stop();
  showCamera(false);
  by("picture").hidden = true;
  subject += 1;
  pad.clear();
}

/** Something else is on the stage: read it. */
function put(makePicture) {
  current = makePicture;
  by("clear").disabled = current === null;
  comparison.reset(current !== null);
  if (current) {
    read();
    return;
  }
  live.stop();
  settle("", null);
  showNothing();
}

/** Have it read, where that costs nothing; else it is for the comparison's buttons. */
function read() {
  if (reader !== null) live.read(current);
}

function show(reading, picture, ms) {
  showReading(reading, ms);
  settle(inWords(reading), () => history.put(subject, reading, picture));
  if (camera.on) comparison.reset(true);
}

/** Tell a screen reader and the history what is read, once it has stayed the same for a moment. */
function settle(words, remember) {
  const seen = camera.on ? words.slice(0, 1) : words; // a camera's percentages never stand still
  if (seen === verdict && camera.on) return;
  verdict = seen;
  clearTimeout(settling);
  if (!remember) return;
  settling = setTimeout(() => {
    by("announcement").textContent = words;
    if (camera.on) subject += 1;
    remember();
  }, SETTLED_MS);
}

function fail(problem) {
  if (problem.status === 401) {
    by("key-dialog").showModal();
    return;
  }
  toast(`That did not work: ${problem.message}.`);
  if (problem.status === 422) clear();
}
