// Showing it to others: a card with the picture and its reading, and the same request for a program.

import { by, make } from "./dom.js";
import { howSure, reasonInWords, toast } from "./view.js";

const INLINE_BYTES = 32_000; // a longer picture is named as a file: a command line is not endless
const CARD = { width: 840, height: 400, margin: 30, side: 340, left: 400 };
const BARS = { top: 180, tall: 130, step: 41 };
const ENDINGS = { "image/jpeg": "jpg", "image/webp": "webp", "image/tiff": "tif" };
const NO_CARD = "This browser cannot draw the card.";
const NO_COPY = "This browser does not let the page copy; it does over https.";

/** The buttons: `getShown()` gives the last reading and its picture, `getPicture()` promises what is on the stage,
 *  `isKeyNeeded()` says whether a program needs a key. */
export function offerSharing(getShown, getPicture, isKeyNeeded) {
  const offer = (id, act, sorry) => by(id).addEventListener("click", () => act().catch(() => toast(sorry)));
  const copy = async (asText, kind) => {
    await navigator.clipboard.writeText(await asText(await getPicture(), isKeyNeeded()));
    toast(`Copied as ${kind}.`);
  };
  offer("save", async () => save(await cardFile(getShown())), NO_CARD);
  offer("share", async () => share(await cardFile(getShown())), NO_CARD);
  offer("curl", () => copy(asCurl, "curl"), NO_COPY);
  offer("python", () => copy(asPython, "Python"), NO_COPY);
  by("share").hidden = !navigator.canShare?.({ files: [asFile([])] });
}

function save(file) {
  const link = make("a", { href: URL.createObjectURL(file), download: file.name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

/** On a phone: hand a file to another app. */
async function share(file) {
  await navigator.share({ files: [file], title: "digitrec" }).catch(() => {}); // changed their mind
}

function asFile(parts, name = "digitrec.png") {
  return new File(parts, name, { type: "image/png" });
}

/** A PNG with the picture, the digit, how sure, and the ten bars. */
async function cardFile({ picture, reading }) {
  const { prediction, provider, probs } = reading;
  const sheet = new OffscreenCanvas(CARD.width, CARD.height);
  const context = sheet.getContext("2d");
  const write = (words, x, y, size, weight, colour) => {
    context.fillStyle = colour;
    context.font = `${weight} ${size}px system-ui, sans-serif`;
    context.fillText(words, x, y, CARD.width - x - CARD.margin);
  };
  context.fillStyle = "#ffffff";
  context.fillRect(0, 0, CARD.width, CARD.height);
  paintPicture(context, await createImageBitmap(picture));
  write(prediction ?? "?", CARD.left, 140, 130, 700, prediction === null ? "#9a5b00" : "#4338ca");
  write(prediction === null ? "Can't tell" : howSure(reading) ?? "", CARD.left + 110, 85, 32, 600, "#1d1c24");
  write(prediction === null ? reasonInWords(reading.reason) : "", CARD.left + 110, 125, 18, 400, "#63616e");
  probs?.forEach((share, digit) => {
    const left = CARD.left + digit * BARS.step;
    paintBar(context, left, 1, "#f0eff6");
    paintBar(context, left, share, digit === prediction ? "#4338ca" : "#8d86c9");
    write(digit, left + BARS.step / 2 - 8, BARS.top + BARS.tall + 22, 17, 600, "#63616e");
  });
  write(`read by digitrec (${provider})`, CARD.left, CARD.height - CARD.margin, 16, 400, "#63616e");
  return asFile([await sheet.convertToBlob({ type: "image/png" })], `digitrec-${prediction ?? "unsure"}.png`);
}

function paintPicture(context, bitmap) {
  const { margin, side } = CARD;
  const scale = side / Math.max(bitmap.width, bitmap.height);
  const [width, height] = [bitmap.width * scale, bitmap.height * scale];
  context.drawImage(bitmap, margin + (side - width) / 2, margin + (side - height) / 2, width, height);
  context.strokeStyle = "#e2e0d9";
  context.strokeRect(margin, margin, side, side);
}

function paintBar(context, left, share, colour) {
  context.fillStyle = colour;
  context.fillRect(left, BARS.top + BARS.tall * (1 - share), BARS.step - 6, BARS.tall * share);
}

/** The request as a command for any shell and any curl. */
async function asCurl(picture, keyNeeded) {
  const key = keyNeeded ? ' -H "X-API-Key: $DIGITREC_KEY"' : "";
  const isLong = picture.size > INLINE_BYTES;
  const type = isLong ? "octet-stream" : "json";
  const data = isLong ? `@${fileName(picture)}` : `'{"image": "${await base64(picture)}"}'`;
  return `curl${key} -H 'Content-Type: application/${type}' --data-binary ${data} '${address()}'`;
}

/** The request as a Python program that needs nothing but Python. */
async function asPython(picture, keyNeeded) {
  const isLong = picture.size > INLINE_BYTES;
  const given = isLong ? `open("${fileName(picture)}", "rb").read()` : `base64.b64decode("${await base64(picture)}")`;
  const key = keyNeeded ? ', "X-API-Key": os.environ["DIGITREC_KEY"]' : "";
  return `import ${isLong ? "" : "base64, "}json, ${keyNeeded ? "os, " : ""}urllib.request

picture = ${given}
headers = {"Content-Type": "application/octet-stream"${key}}
request = urllib.request.Request("${address()}", picture, headers)
print(json.load(urllib.request.urlopen(request)))
`;
}

function address() {
  return new URL("predict", document.baseURI).href.replaceAll("'", "%27");
}

function fileName(picture) {
  return `digit.${ENDINGS[picture.type] ?? "png"}`;
}

async function base64(picture) {
  const bytes = new Uint8Array(await picture.arrayBuffer());
  return btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(""));
}
