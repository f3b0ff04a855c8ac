// Everything that was on the stage, so that nothing is ever lost: undo and redo walk along it.

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
    this.at = Math.max(0, this.at - 1);
  }

  redo() {
    this.at = Math.min(this.states.length - 1, this.at + 1);
  }

  /** Take a state out, wherever it stands by now: it was no good. */
  drop(state) {
    const place = this.states.indexOf(state);
    if (place < 1) return;
    this.states.splice(place, 1);
    if (this.at >= place) this.at -= 1;
  }
}
