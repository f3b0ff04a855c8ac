// The history of the stage, for undo and redo.

const KEPT = 200;

export class Timeline {
  /** A state is never changed: `{ strokes, picture, subject }`. */
  constructor(first) {
    this.states = [first];
    this.at = 0;
  }

  get now() {
    return this.states[this.at];
  }

  /** Whether there is a state before this one (-1) or after it (1). */
  has(step) {
    return this.at + step in this.states;
  }

  walk(step) {
    this.at += step;
  }

  push(state) {
    this.states.splice(this.at + 1, Infinity, state);
    this.states = this.states.slice(-KEPT);
    this.at = this.states.length - 1;
  }

  /** Remove the present state; the first stays. */
  drop() {
    if (this.at > 0) this.states.splice(this.at--, 1);
  }
}
