// The server's questions and answers.

const KEY = "digitrec-key";

/** What the server says instead of an answer. */
export class Problem extends Error {
  constructor(status, detail, retryAfter) {
    super(detail);
    this.status = status;
    this.retryAfter = retryAfter;
  }
}

export function useKey(key) {
  sessionStorage.setItem(KEY, key);
}

export function providers() {
  return answered(fetch("/providers"));
}

/** One engine's reading. */
export function predict(picture, name) {
  return answered(fetch(`/predict?seen=true&provider=${encodeURIComponent(name)}`, question(picture)));
}

export function compare(picture, names) {
  const query = names.map((name) => `provider=${encodeURIComponent(name)}`).join("&");
  return answered(fetch(`/compare?${query}`, question(picture)));
}

function question(picture) {
  const headers = { "Content-Type": picture.type || "application/octet-stream" };
  const key = sessionStorage.getItem(KEY);
  if (key) headers["X-API-Key"] = key;
  return { method: "POST", body: picture, headers };
}

async function answered(request) {
  let response;
  try {
    response = await request;
  } catch {
    throw new Problem(0, "the server cannot be reached", 2);
  }
  const body = await response.json();
  if (response.ok) return body;
  throw new Problem(response.status, body.detail, Number(response.headers.get("Retry-After") ?? 0));
}
