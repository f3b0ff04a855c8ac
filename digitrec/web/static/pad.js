// Paper to draw on, with mouse, finger, pen or keyboard.

import { trace } from "./strokes.js";

const STEP = 0.025; // how far an arrow key moves the pen, as a share of the side
const RUBBER = 2.2; // how much wider than the pen the eraser is
const FROM = { x: 0.5, y: 0.3 }; // where the keyboard's pen begins
const PALM_MS = 3000; // for so long after a pen a touch is taken for the hand that holds it

export class Pad {
  /** `changed()` is called while a stroke grows, `done(strokes)` when it has ended. */
  constructor(canvas, { changed, done }) {
    Object.assign(this, { canvas, changed, done });
    this.strokes = [];
    this.width = 0.065;
    this.erasing = false;
    this.active = null; // the stroke that is being drawn
    this.cursor = null; // where the keyboard's pen is
    this.penSeen = -PALM_MS;
    this.listen();
    new ResizeObserver(() => this.resize()).observe(canvas);
  }

  /** Everything on the paper, the stroke that is being drawn included. */
  get drawing() {
    return this.active ? [...this.strokes, this.active] : this.strokes;
  }

  /** Put these strokes on the paper instead. */
  show(strokes) {
    this.strokes = strokes;
    this.active = null;
    this.draw();
  }

  listen() {
    const { canvas } = this;
    canvas.addEventListener("pointerdown", (event) => this.down(event));
    canvas.addEventListener("pointermove", (event) => this.drag(event));
    for (const end of ["pointerup", "pointercancel"]) {
      canvas.addEventListener(end, (event) => this.up(event));
    }
    canvas.addEventListener("keydown", (event) => this.key(event));
    canvas.addEventListener("blur", () => {
      this.end();
      this.cursor = null;
      this.draw();
    });
  }

  /** A second finger, or the palm, draws nothing; a pen takes over from the palm that came before it. */
  down(event) {
    if (event.button !== 0) return;
    const isPen = event.pointerType === "pen";
    if (event.pointerType === "touch" && event.timeStamp - this.penSeen < PALM_MS) return;
    if (this.active && !(isPen && this.active.kind === "touch")) return;
    this.canvas.setPointerCapture(event.pointerId);
    this.cursor = null;
    this.begin(this.place(event), event.pointerId, event.pointerType);
  }

  drag(event) {
    if (event.pointerType === "pen") this.penSeen = event.timeStamp;
    if (this.active?.pointer !== event.pointerId) return;
    const moves = event.getCoalescedEvents?.() ?? [];
    this.active.points.push(...(moves.length ? moves : [event]).map((move) => this.place(move)));
    this.draw();
    this.changed();
  }

  /** A quick stroke ends beyond its last move. */
  up(event) {
    if (this.active?.pointer !== event.pointerId) return;
    const { width } = this.active.points.at(-1); // a lifted pen has no pressure
    if (event.type === "pointerup") this.active.points.push({ ...this.place(event), width });
    this.end();
  }

  key(event) {
    const moves = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key in moves) this.move(...moves[event.key]);
    else if (event.key === " ") this.togglePen();
    else return;
    event.preventDefault();
  }

  move(right, down) {
    const within = (value) => Math.min(0.97, Math.max(0.03, value));
    const { x, y } = this.cursor ?? FROM;
    this.cursor = { x: within(x + right * STEP), y: within(y + down * STEP), width: this.nib };
    if (this.active) this.active.points.push(this.cursor);
    this.draw();
    if (this.active) this.changed();
  }

  togglePen() {
    this.cursor ??= { ...FROM, width: this.nib };
    if (this.active) this.end();
    else this.begin(this.cursor, "keyboard", "keyboard");
    this.draw();
  }

  begin(point, pointer, kind) {
    this.active = { points: [point], erases: this.erasing, pointer, kind };
    this.draw();
    this.changed();
  }

  end() {
    if (!this.active) return;
    this.strokes = [...this.strokes, { points: this.active.points, erases: this.active.erases }];
    this.active = null;
    this.done(this.strokes);
  }

  get nib() {
    return this.width * (this.erasing ? RUBBER : 1);
  }

  /** Where an event is on the paper, and how wide the line is there: a pen that is pressed writes wider. */
  place(event) {
    const box = this.canvas.getBoundingClientRect();
    const pressed = event.pointerType === "pen" && event.pressure > 0 ? 0.5 + event.pressure : 1;
    return {
      x: (event.clientX - box.left) / box.width,
      y: (event.clientY - box.top) / box.height,
      width: this.nib * pressed,
    };
  }

  resize() {
    this.canvas.width = Math.round(this.canvas.clientWidth * devicePixelRatio);
    this.canvas.height = Math.round(this.canvas.clientHeight * devicePixelRatio);
    this.draw();
  }

  draw() {
    const context = this.canvas.getContext("2d");
    const side = this.canvas.width;
    const { color, accentColor } = getComputedStyle(this.canvas);
    context.clearRect(0, 0, side, this.canvas.height);
    this.drawing.forEach((stroke) => trace(context, stroke, side, color));
    if (this.cursor) this.drawCursor(context, side, accentColor);
  }

  drawCursor(context, side, colour) {
    context.beginPath();
    context.arc(this.cursor.x * side, this.cursor.y * side, (this.nib * side) / 2, 0, 2 * Math.PI);
    context.lineWidth = 0.008 * side;
    context.strokeStyle = context.fillStyle = colour;
    if (this.active) context.fill();
    else context.stroke();
  }
}
