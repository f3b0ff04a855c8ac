// Pictures that were not drawn: chosen, dropped, pasted, or seen by the camera.

import { sample } from "./api.js";
import { by } from "./dom.js";

const LIGHT_BYTES = 1_000_000;
const LONGER_SIDE = 1600;
const FRAME_SIDE = 480;
const DRAWN_HERE = /^image\/(avif|svg)|\.(avif|svg)$/i; // formats that browsers show and the server does not take

/** Call `take` with every chosen, dropped or pasted picture, or the promise of a sample, and the number of other files. */
export function listenForPictures(take) {
  const [input, stage] = [by("file"), by("stage")];
  const taken = (transfer) => transfer.files.length && take(transfer.files[0], transfer.files.length - 1);
  by("choose").addEventListener("click", () => input.click());
  input.addEventListener("change", () => {
    taken(input);
    input.value = ""; // the same file may be chosen again
  });
  document.addEventListener("paste", (event) => taken(event.clipboardData));
  for (const type of ["dragover", "dragleave", "drop"]) {
    document.addEventListener(type, (event) => {
      event.preventDefault();
      stage.classList.toggle("dropping", type === "dragover" || (type === "dragleave" && event.relatedTarget !== null));
      if (type === "drop") taken(event.dataTransfer);
    });
  }
  by("samples").addEventListener("click", (event) => {
    const image = event.target.closest("button")?.querySelector("img");
    if (image) take(sample(image.src), 0);
  });
}

/** Scale a large photo down, and convert a format that the server rejects; return others unchanged.
 *
 * Throws an Error for such a format if the browser cannot draw it either.
 */
export async function lightened(file) {
  const isDrawnHere = DRAWN_HERE.test(`${file.type} ${file.name}`);
  if (!isDrawnHere && file.size <= LIGHT_BYTES) return file;
  const url = URL.createObjectURL(file);
  try {
    const image = new Image(); // unlike createImageBitmap it draws SVG
    image.src = url;
    await image.decode();
    const [width, height] = [image.naturalWidth || FRAME_SIDE, image.naturalHeight || FRAME_SIDE];
    const largest = LONGER_SIDE / Math.max(width, height);
    const scale = /svg/i.test(file.type) ? largest / 2 : Math.min(1, largest);
    const drawn = await drawnAt(image, Math.round(width * scale), Math.round(height * scale), 0.92);
    return isDrawnHere || drawn.size < file.size ? drawn : file;
  } catch {
    if (isDrawnHere) throw new Error("this browser cannot show the picture; save it as a PNG or JPEG first");
    return file; // a format that this browser does not know; the server may
  } finally {
    URL.revokeObjectURL(url);
  }
}

/** An image, or a part of it, of that size: a JPEG, or a PNG if any of it is transparent: the ink may be white. */
function drawnAt(image, width, height, quality, part = []) {
  const sheet = new OffscreenCanvas(width, height);
  const context = sheet.getContext("2d");
  context.drawImage(image, ...part, 0, 0, width, height);
  const { data } = context.getImageData(0, 0, width, height);
  let alpha = 3;
  while (data[alpha] === 255) alpha += 4;
  return sheet.convertToBlob({ type: alpha < data.length ? "image/png" : "image/jpeg", quality });
}

/** Show a picture, or nothing, in an image element; promise the shown one.
 *  `thumbnail(picture)` promises a preview of one that the browser cannot show; nothing is shown if it comes when the
 *  picture is no longer wanted. */
export async function shownPicture(image, picture, thumbnail, isWanted) {
  URL.revokeObjectURL(image.src);
  image.removeAttribute("src");
  if (!picture) return null;
  const bitmap = await createImageBitmap(picture).catch(() => null);
  bitmap?.close();
  const look = bitmap ? picture : await thumbnail(picture);
  if (isWanted()) image.src = URL.createObjectURL(look);
  await image.decode().catch(() => {}); // its size is known only then
  return look;
}

/** A picture's place in its square: left, top, right, bottom, as shares of the side. */
export function contained({ naturalWidth: width, naturalHeight: height }) {
  const longer = Math.max(width, height);
  const [x, y] = [(1 - width / longer) / 2, (1 - height / longer) / 2];
  return [x, y, 1 - x, 1 - y];
}

/** The camera, shown in a video element. */
export class Camera {
  stream = null;

  constructor(video) {
    this.video = video;
  }

  get on() {
    return this.stream !== null;
  }

  async start() {
    if (!navigator.mediaDevices) throw new Error("a camera needs https, or this machine's own address");
    try {
      this.stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment" } });
    } catch (error) {
      throw new Error(error.name === "NotAllowedError" ? "the camera was not allowed" : "no camera was found");
    }
    this.video.srcObject = this.stream;
    await this.video.play();
  }

  stop() {
    this.stream?.getTracks().forEach((track) => track.stop());
    this.stream = this.video.srcObject = null;
  }

  /** The square in the middle of the picture, inside the guide. */
  frame() {
    const { videoWidth: width, videoHeight: height } = this.video;
    const side = 0.72 * Math.min(width, height);
    return drawnAt(this.video, FRAME_SIDE, FRAME_SIDE, 0.85, [(width - side) / 2, (height - side) / 2, side, side]);
  }
}
