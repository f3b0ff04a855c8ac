// For digitrec review: answers to accept, correct or leave out. Enter accepts, Escape leaves out.

import { by, make, makeButton } from "./dom.js";

let key = location.hash.slice(1); // for this page alone; `digitrec review` puts it into the address
if (key) list().catch(tell);

by("owner").addEventListener("submit", (event) => {
  event.preventDefault();
  key = by("key").value.trim();
  list().catch(tell);
});

async function asked(path, method = "GET") {
  const response = await fetch(path, { method, headers: { "X-Owner-Key": key } })
    .catch(() => { throw new Error("the server is not answering"); });
  if (response.ok) return response;
  throw new Error(response.status === 401 ? "the server does not know this key" : (await response.json()).detail);
}

async function list() {
  const { pictures } = await (await asked("collected")).json();
  by("owner").hidden = true;
  by("labelled").replaceChildren(...await Promise.all(pictures.map(entry)));
  by("labelled").querySelector("input")?.select();
  count();
}

async function entry({ name, label, provider }) {
  const path = `collected/${encodeURIComponent(name)}`;
  const image = await asked(path).then((response) => response.blob()).then(
    (blob) => make("img", { src: URL.createObjectURL(blob), alt: `Labelled ${label}` }),
    (error) => make("p", {}, error.message), // the answer can be skipped
  );
  const field = make("input", { value: label, ariaLabel: `Label of the picture labelled ${label}`, autocomplete: "off" });
  const chosen = (accept) => `${path}?${new URLSearchParams({ accept, label: field.value })}`;
  const decide = (accept) => () => {
    if (field.readOnly) return; // Enter was pressed twice
    field.readOnly = true; // unlike a disabled one, it keeps the focus
    asked(chosen(accept), "PUT").then(() => {
      URL.revokeObjectURL(image.src);
      const next = item.nextElementSibling ?? item.previousElementSibling;
      item.remove();
      next?.querySelector("input").select();
      return next ? count() : list();
    }).catch((error) => { field.readOnly = false; tell(error); });
  };
  field.addEventListener("keydown", ({ key: pressed }) => {
    if (pressed === "Enter") decide(true)();
    if (pressed === "Escape") decide(false)();
  });
  const item = make(
    "li", { className: "card" }, image, make("p", {}, `${provider} says ${label}`),
    field, makeButton("Accept", decide(true)), makeButton("Skip", decide(false)),
  );
  return item;
}

function count() {
  const left = by("labelled").childElementCount;
  by("words").textContent = left ? `${left} on this page.` : "Nothing left to review.";
}

function tell(error) {
  by("words").textContent = `That did not work: ${error.message}.`;
}
