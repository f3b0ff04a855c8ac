// Pictures that were not drawn: chosen, dropped, pasted, or seen by the camera.

const LIGHT_BYTES = 1_000_000;
const LONGER_SIDE = 1600;
const FRAME_SIDE = 480;

/** Call `take` with every picture that is chosen, dropped or pasted. */
export function listenForPictures({ button, input, stage }, take) {
  button.addEventListener("click", () => input.click());
  input.addEventListener("change", () => {
    if (input.files.length) take(input.files[0]);
    input.value = ""; // the same file may be chosen again
  });
  document.addEventListener("paste", (event) => {
    const file = [...event.clipboardData.files][0];
    if (file) take(file);
  });
  document.addEventListener("dragover", (event) => {
    event.preventDefault();
    stage.classList.add("dropping");
  });
  document.addEventListener("dragleave", (event) => {
    if (!event.relatedTarget) stage.classList.remove("dropping");
  });
  document.addEventListener("drop", (event) => {
    event.preventDefault();
    stage.classList.remove("dropping");
    const file = [...event.dataTransfer.files][0];
    if (file) take(file);
  });
}

/** A large photo scaled down, so that it is quickly sent; others as they are. */
export async function lightened(file) {
  if (file.size <= LIGHT_BYTES) return file;
  let bitmap;
  try {
    bitmap = await createImageBitmap(file);
  } catch {
    return file; // a format that this browser does not know; the server may
  }
  const scale = Math.min(1, LONGER_SIDE / Math.max(bitmap.width, bitmap.height));
  const sheet = new OffscreenCanvas(Math.round(bitmap.width * scale), Math.round(bitmap.height * scale));
  sheet.getContext("2d").drawImage(bitmap, 0, 0, sheet.width, sheet.height);
  return sheet.convertToBlob({ type: "image/jpeg", quality: 0.92 });
}

/** Show a picture, or nothing, in an image element; promises what is shown.
 *  `thumbnail(picture)` promises a look at one that the browser cannot show. */
export async function shownPicture(image, picture, thumbnail) {
  URL.revokeObjectURL(image.src);
  image.removeAttribute("src");
  if (!picture) return null;
  const isKnown = await createImageBitmap(picture).then((bitmap) => { bitmap.close(); return true; }, () => false);
  const look = isKnown ? picture : await thumbnail(picture);
  image.src = URL.createObjectURL(look);
  return look;
}

/** Where a picture lies in the square that contains it: left, top, right, bottom, as shares of its side. */
export function contained({ naturalWidth: width, naturalHeight: height }) {
  const longer = Math.max(width, height);
  const [x, y] = [(1 - width / longer) / 2, (1 - height / longer) / 2];
  return [x, y, 1 - x, 1 - y];
}

/** The camera, shown in a video element. */
export class Camera {
  constructor(video) {
    this.video = video;
    this.stream = null;
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

  /** The square in the middle of the picture, without what lies outside the guide. */
  async frame() {
    const { videoWidth: width, videoHeight: height } = this.video;
    const side = 0.72 * Math.min(width, height);
    const sheet = new OffscreenCanvas(FRAME_SIDE, FRAME_SIDE);
    const from = [(width - side) / 2, (height - side) / 2, side, side];
    sheet.getContext("2d").drawImage(this.video, ...from, 0, 0, FRAME_SIDE, FRAME_SIDE);
    return sheet.convertToBlob({ type: "image/jpeg", quality: 0.85 });
  }
}
