// The server's endpoints. Addresses are relative, because the page may have a path prefix.

const KEY = "digitrec-key";
const PATIENCE_MS = 40_000; // longer than the server allows itself
const LARGE_BYTES = 200_000; // the upload of a larger picture reports its progress
const TOO_SLOW = "the picture took too long to arrive; try again, or choose a smaller one";

/** Why there is no answer. Status 0: the connection failed; `isForeign`: the answer is not the server's, but a proxy's. */
export class Problem extends Error {
  constructor(message, { status = 0, retryAfterS = null, isForeign = false } = {}) {
    super(message);
    Object.assign(this, { status, retryAfterS, isForeign });
  }
}

let key = stored(() => sessionStorage.getItem(KEY));

export const hasKey = () => key !== null;

export function useKey(given) {
  key = given;
  stored(() => sessionStorage.setItem(KEY, given));
}

export function forgetKey() {
  key = null;
  stored(() => sessionStorage.removeItem(KEY));
}

/** Use the browser's storage; null if it lets the page keep nothing. */
function stored(use) {
  try {
    return use();
  } catch {
    return null;
  }
}

/** Whether the server accepts a key: if so, its error is the missing picture. */
export async function accepts(given) {
  try {
    await answer("thumbnail", { method: "POST", headers: { "X-API-Key": given } });
  } catch (problem) {
    if (problem.status === 401) return false;
    if (problem.status !== 422) throw problem;
  }
  return true;
}

export const providers = () => json("providers");
/** Whether the page may ask an engine without a click: asking costs nothing, and the picture stays on the server. */
export const isFree = ({ usd_per_picture: usd, remote }) => usd === 0 && !remote;
export const health = () => json("health");
export const sample = (address) => answer(address, {}, "image/");

/** One engine's reading; `progress(share)` is called during the upload of a large picture. */
export function predict(picture, name, signal, progress) {
  return json(`predict?seen=true&provider=${encodeURIComponent(name)}`, { ...question(picture, signal), progress });
}

/** The whole numbers on a picture. */
export const read = (picture, name, signal) => json(`v1/read?provider=${encodeURIComponent(name)}`, question(picture, signal));

export function compare(picture, names) {
  return json(`compare?${new URLSearchParams(names.map((name) => ["provider", name]))}`, question(picture));
}

/** The explanation of a reading, with the layers; without saliency it takes a few milliseconds. */
export function explain(picture, name, { saliency, signal }) {
  const query = new URLSearchParams({ inside: true, saliency, provider: name });
  return json(`explain?${query}`, question(picture, signal));
}

/** The picture as the server reads it, for formats that this browser does not show. */
export const thumbnail = (picture) => answer("thumbnail", question(picture), "image/");

function question(picture, signal) {
  const headers = { "Content-Type": picture.type || "application/octet-stream" };
  if (hasKey()) headers["X-API-Key"] = key;
  return { method: "POST", body: picture, headers, signal };
}

const json = async (path, options) => JSON.parse(await (await answer(path, options)).text());

/** The body of a good answer of this media type. */
async function answer(path, options = {}, type = "json") {
  const request = await sent(path, options).catch(() => { throw new Problem("the server is not answering"); });
  const { status, response } = request;
  const isOf = (kind) => request.getResponseHeader("Content-Type")?.includes(kind);
  if (status < 300 && isOf(type)) return response;
  const retryAfterS = [429, 503].includes(status) ? seconds(request.getResponseHeader("Retry-After")) : null;
  const text = await response.text();
  const detail = isOf("json") && detailOf(text);
  if (!detail) throw new Problem(`“${quoted(text)}” (status ${status})`, { status, retryAfterS, isForeign: true });
  throw new Problem(status === 408 ? TOO_SLOW : detail, { status, retryAfterS });
}

/** Like `fetch`, but with the progress of the upload. */
function sent(path, { method = "GET", body, headers = {}, signal, progress }) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open(method, path);
    for (const [name, value] of Object.entries(headers)) request.setRequestHeader(name, value);
    Object.assign(request, { responseType: "blob", timeout: PATIENCE_MS });
    Object.assign(request, { onload: () => resolve(request), onerror: reject, ontimeout: reject, onabort: reject });
    if (body?.size > LARGE_BYTES) request.upload.onprogress = ({ loaded, total }) => progress?.(loaded / total);
    signal?.addEventListener("abort", () => request.abort());
    request.send(body);
  });
}

function detailOf(text) {
  try {
    return JSON.parse(text).detail;
  } catch {
    return null;
  }
}

/** Retry-After in seconds, from a number or a date; null without one. */
function seconds(value) {
  if (value === null) return null;
  const asDate = (Date.parse(value) - Date.now()) / 1000;
  return Math.max(0, /^\d+$/.test(value.trim()) ? Number(value) : asDate || 0);
}

/** The title and heading of an HTML page, or its text. */
function quoted(text) {
  const page = new DOMParser().parseFromString(text, "text/html");
  const heads = [page.title, page.querySelector("h1, h2")?.textContent.trim()].filter(Boolean);
  const words = [...new Set(heads)].join(": ") || page.body.textContent.trim();
  return words.replaceAll(/\s+/g, " ").slice(0, 120) || "nothing";
}
