// Shortcuts for the document.

export const by = (id) => document.getElementById(id);

/** Make an element with these properties and children: make("img", { alt: "" }). */
export function make(tag, properties = {}, ...children) {
  const node = Object.assign(document.createElement(tag), properties);
  node.append(...children);
  return node;
}

/** Make a button that calls `act` with its click event. */
export function makeButton(words, act) {
  const button = make("button", { type: "button" }, words);
  button.addEventListener("click", act);
  return button;
}
