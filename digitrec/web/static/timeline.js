// Everything that was on the stage: undo and redo walk along it.

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

  get canUndo() {
    return this.at > 0;
  }

  get canRedo() {
    return this.at < this.states.length - 1;
  }

  push(state) {
    this.states.splice(this.at + 1, Infinity, state);
    if (this.states.length > KEPT) this.states.shift();
    this.at = this.states.length - 1;
  }

  undo() {
    if (this.canUndo) this.at -= 1;
  }

  redo() {
    if (this.canRedo) this.at += 1;
  }

  /** Take the state out that is there now; the first stays. */
  drop() {
    if (this.at > 0) this.states.splice(this.at--, 1);
  }
}
