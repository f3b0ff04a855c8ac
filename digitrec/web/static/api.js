// The server's questions and answers. Addresses are relative: the page may stand under a prefix.

const KEY = "digitrec-key";
const PATIENCE_MS = 40_000; // longer than the server allows itself

/** What the server says instead of an answer; status 0: it says nothing, or somebody else answers for it. */
export class Problem extends Error {
  constructor(status, detail, retryAfter = 0) {
    super(detail);
    this.status = status;
    this.retryAfter = retryAfter;
  }
}

export function hasKey() {
  return sessionStorage.getItem(KEY) !== null;
}

export function useKey(key) {
  sessionStorage.setItem(KEY, key);
}

export function forgetKey() {
  sessionStorage.removeItem(KEY);
}

/** Whether the server takes a key; of all that wants one the figures are the cheapest. */
export async function accepts(key) {
  const response = await fetched("metrics", { headers: { "X-API-Key": key } });
  if (response.ok || response.status === 401) return response.ok;
  throw new Problem(response.status, "the server cannot tell now; try again in a moment");
}

export function providers() {
  return json("providers");
}

export function health() {
  return json("health");
}

/** One engine's reading. */
export function predict(picture, name, signal) {
  return json(`predict?seen=true&provider=${encodeURIComponent(name)}`, question(picture, signal));
}

export function compare(picture, names) {
  const query = names.map((name) => `provider=${encodeURIComponent(name)}`).join("&");
  return json(`compare?${query}`, question(picture));
}

/** Why the engine says what it says, with a look inside. */
export function explain(picture, name) {
  return json(`explain?inside=true&provider=${encodeURIComponent(name)}`, question(picture));
}

/** The same without what each piece of ink is worth, which is what takes the time. */
export function look(picture, name, signal) {
  return json(`explain?inside=true&saliency=false&provider=${encodeURIComponent(name)}`, question(picture, signal));
}

/** The picture as the server reads it, for formats that this browser does not show. */
export async function thumbnail(picture) {
  return (await answered("thumbnail", question(picture))).blob();
}

/** Say which digit it was: "0" to "9", or "none". */
export function label(picture, digit) {
  return json(`label?digit=${digit}`, question(picture));
}

function question(picture, signal) {
  const headers = { "Content-Type": picture.type || "application/octet-stream" };
  if (hasKey()) headers["X-API-Key"] = sessionStorage.getItem(KEY);
  return { method: "POST", body: picture, headers, signal };
}

async function json(path, options) {
  const response = await answered(path, options);
  return response.json().catch(() => { throw new Problem(0, "the server is not answering"); });
}

async function answered(path, options) {
  const response = await fetched(path, options);
  if (response.ok) return response;
  const problem = await response.json().catch(() => null);
  if (!problem?.detail) throw new Problem(0, "the server is not answering"); // a proxy's page, not ours
  throw new Problem(response.status, problem.detail, Number(response.headers.get("Retry-After") ?? 0));
}

async function fetched(path, { signal, ...options } = {}) {
  const clock = new AbortController();
  const timer = setTimeout(() => clock.abort(), PATIENCE_MS);
  signal?.addEventListener("abort", () => clock.abort());
  try {
    return await fetch(path, { ...options, signal: clock.signal });
  } catch {
    throw new Problem(0, "the server is not answering");
  } finally {
    clearTimeout(timer);
  }
}
