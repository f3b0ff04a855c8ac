// The dialog for an API key: shown before the first stroke if a key is needed, and again if it is wrong.

import * as api from "./api.js";
import { by } from "./dom.js";

const dialog = by("key-dialog");
const input = by("key");
const button = by("key-button");

/** Call `given()` when the server has accepted a key. */
export function listenForKey(given) {
  button.addEventListener("click", () => open());
  dialog.addEventListener("submit", async (event) => {
    if (event.submitter?.value === "later") return;
    event.preventDefault(); // it closes only once the key is right
    const words = await fault(input.value.trim());
    if (words) {
      open(words);
      return;
    }
    input.value = "";
    dialog.close();
    given();
  });
}

/** Whether a request would be rejected because a key is missing. */
export const isKeyMissing = () => !button.hidden && !api.hasKey();

/** Ask for a key, unless there is one. */
export function needKey() {
  button.hidden = false;
  if (isKeyMissing()) open();
}

/** The key is no longer valid. */
export function keyRefused() {
  const words = api.hasKey() ? "The server does not take this key any more." : "";
  api.forgetKey();
  button.hidden = false;
  if (!dialog.open) open(words);
}

function open(words = "") {
  by("key-wrong").textContent = words;
  input.setAttribute("aria-invalid", words !== "");
  if (words) input.select();
  if (!dialog.open) dialog.showModal();
}

/** Keep a valid key; promise the problem of an invalid one. */
async function fault(key) {
  try {
    const isRight = /^[\x20-\x7e]+$/.test(key) && await api.accepts(key); // no header takes other characters
    if (!isRight) return "The server does not know this key.";
  } catch (problem) {
    return `That did not work: ${problem.message}.`;
  }
  api.useKey(key);
  return "";
}
