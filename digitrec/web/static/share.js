// Showing it to others: a card with the picture and its reading, and the same question for a program.

import { by, make } from "./dom.js";
import { howSure, reasonInWords, toast } from "./view.js";

const INLINE_BYTES = 32_000; // a longer picture is named as a file: a command line is not endless
const CARD = { width: 840, height: 400, margin: 30 };

/** The buttons: `getShown()` gives the last reading and its picture, `getPicture()` promises what is on the stage,
 *  `isKeyNeeded()` says whether a program needs a key. */
export function offerSharing(getShown, getPicture, isKeyNeeded) {
  const give = async (shared) => {
    const { picture, reading } = getShown();
    await handOut(await card(picture, reading), reading, shared);
  };
  const copy = async (asText, kind) => {
    await navigator.clipboard.writeText(await asText(await getPicture(), isKeyNeeded()));
    toast(`Copied as ${kind}.`);
  };
  const offer = (id, act, sorry) => by(id).addEventListener("click", () => act().catch(() => toast(sorry)));
  offer("save", () => give(false), "This browser cannot draw the card.");
  offer("share", () => give(true), "This browser cannot draw the card.");
  offer("curl", () => copy(asCurl, "curl"), "This browser does not let the page copy; it does over https.");
  offer("python", () => copy(asPython, "Python"), "This browser does not let the page copy; it does over https.");
  by("share").hidden = !canShare();
}

/** A PNG with the picture, the digit, how sure, and the ten bars. */
async function card(picture, reading) {
  const sheet = new OffscreenCanvas(CARD.width, CARD.height);
  const context = sheet.getContext("2d");
  const side = CARD.height - 2 * CARD.margin;
  context.fillStyle = "#ffffff";
  context.fillRect(0, 0, CARD.width, CARD.height);
  paintPicture(context, await createImageBitmap(picture), side);
  const left = side + 2 * CARD.margin;
  const told = reading.prediction !== null;
  context.fillStyle = told ? "#4338ca" : "#9a5b00";
  write(context, told ? String(reading.prediction) : "?", left, 140, 130, 700);
  context.fillStyle = "#1d1c24";
  write(context, told ? (howSure(reading) ?? "") : "Can't tell", left + 110, 85, 32, 600);
  context.fillStyle = "#63616e";
  write(context, told ? "" : reasonInWords(reading.reason), left + 110, 125, 18, 400);
  if (reading.probs) paintBars(context, reading.probs, left);
  write(context, `read by digitrec (${reading.provider})`, left, CARD.height - CARD.margin, 16, 400);
  return sheet.convertToBlob({ type: "image/png" });
}

/** Keep a file with the card; on a phone hand it to another app, where `shared` asks for that. */
async function handOut(blob, reading, shared) {
  const file = new File([blob], `digitrec-${reading.prediction ?? "unsure"}.png`, { type: "image/png" });
  if (shared) {
    await navigator.share({ files: [file], title: "digitrec" }).catch(() => {}); // changed their mind
    return;
  }
  const link = make("a", { href: URL.createObjectURL(file), download: file.name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

function canShare() {
  const probe = new File([], "digitrec.png", { type: "image/png" });
  return Boolean(navigator.canShare?.({ files: [probe] }));
}

/** The question as a command for any shell and any curl. */
async function asCurl(picture, keyNeeded) {
  const key = keyNeeded ? ' -H "X-API-Key: $DIGITREC_KEY"' : "";
  const isLong = picture.size > INLINE_BYTES;
  const type = isLong ? "octet-stream" : "json";
  const data = isLong ? `@${fileName(picture)}` : `'{"image": "${await base64(picture)}"}'`;
  return `curl${key} -H 'Content-Type: application/${type}' --data-binary ${data} '${address()}'`;
}

/** The question as a Python program that needs nothing but Python. */
async function asPython(picture, keyNeeded) {
  const long = picture.size > INLINE_BYTES;
  const given = long ? `open("${fileName(picture)}", "rb").read()` : `base64.b64decode("${await base64(picture)}")`;
  const key = keyNeeded ? ', "X-API-Key": os.environ["DIGITREC_KEY"]' : "";
  const modules = [...(long ? [] : ["base64"]), "json", ...(keyNeeded ? ["os"] : []), "urllib.request"];
  return [
    `import ${modules.join(", ")}`,
    "",
    `picture = ${given}`,
    `headers = {"Content-Type": "application/octet-stream"${key}}`,
    `request = urllib.request.Request("${address()}", picture, headers)`,
    "print(json.load(urllib.request.urlopen(request)))",
    "",
  ].join("\n");
}

function paintPicture(context, bitmap, side) {
  const scale = side / Math.max(bitmap.width, bitmap.height);
  const [width, height] = [bitmap.width * scale, bitmap.height * scale];
  const at = [CARD.margin + (side - width) / 2, CARD.margin + (side - height) / 2];
  context.drawImage(bitmap, ...at, width, height);
  context.strokeStyle = "#e2e0d9";
  context.strokeRect(CARD.margin, CARD.margin, side, side);
}

function paintBars(context, probs, left) {
  const [top, tall, step] = [180, 130, (CARD.width - left - CARD.margin) / 10];
  const best = Math.max(...probs);
  probs.forEach((share, digit) => {
    context.fillStyle = "#f0eff6";
    context.fillRect(left + digit * step, top, step - 6, tall);
    context.fillStyle = share === best ? "#4338ca" : "#8d86c9";
    context.fillRect(left + digit * step, top + tall * (1 - share), step - 6, tall * share);
    context.fillStyle = "#63616e";
    write(context, String(digit), left + digit * step + step / 2 - 8, top + tall + 22, 17, 600);
  });
}

function write(context, words, x, y, size, weight) {
  context.font = `${weight} ${size}px system-ui, sans-serif`;
  context.fillText(words, x, y, CARD.width - x - CARD.margin);
}

function address() {
  return new URL("predict", document.baseURI).href.replaceAll("'", "%27");
}

function fileName(picture) {
  return `digit.${{ "image/jpeg": "jpg", "image/webp": "webp", "image/tiff": "tif" }[picture.type] ?? "png"}`;
}

async function base64(picture) {
  const bytes = new Uint8Array(await picture.arrayBuffer());
  return btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(""));
}
