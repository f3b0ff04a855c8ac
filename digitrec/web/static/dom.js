// Shortcuts for the document.

export const by = (id) => document.getElementById(id);

/** Make an element with these properties and children: make("img", { alt: "" }). */
export function make(tag, properties = {}, ...children) {
  const node = Object.assign(document.createElement(tag), properties);
  node.append(...children);
  return node;
}

/** Make a button that calls `act` with its click event. */
export const makeButton = (words, act) => make("button", { type: "button", onclick: act }, words);

/** Flip a button with a pressed state; return whether it is pressed now. */
export function flip(button) {
  button.ariaPressed = button.ariaPressed !== "true";
  return isPressed(button);
}

export const isPressed = (button) => button.ariaPressed === "true";
