// Paper to draw on, with mouse, finger, pen or keyboard.

import { trace } from "./strokes.js";

const STEP = 0.025; // how far an arrow key moves the pen, as a share of the side
const MOVES = { ArrowLeft: [-STEP, 0], ArrowRight: [STEP, 0], ArrowUp: [0, -STEP], ArrowDown: [0, STEP] };
const RUBBER = 2.2; // how much wider than the pen the eraser is
const FROM = { x: 0.5, y: 0.3 }; // where the keyboard's pen begins
const PALM_MS = 3000; // for so long after a pen a touch is taken for the hand that holds it

export class Pad {
  strokes = [];
  active = null; // the stroke that is being drawn
  width = 0.065;
  erasing = false;
  cursor = null; // where the keyboard's pen is
  penSeen = -PALM_MS;

  /** `changed()` is called while a stroke grows, `done(strokes)` when it has ended. */
  constructor(canvas, { changed, done }) {
    Object.assign(this, { canvas, changed, done });
    const handlers = {
      pointerdown: this.down, pointermove: this.drag, pointerup: this.up, pointercancel: this.up, keydown: this.key, blur: this.blur,
    };
    for (const [type, handle] of Object.entries(handlers)) canvas.addEventListener(type, handle.bind(this));
    new ResizeObserver(() => this.resize()).observe(canvas);
  }

  /** All strokes on the paper, also the unfinished one. */
  get drawing() {
    return this.active ? [...this.strokes, this.active] : this.strokes;
  }

  /** Put these strokes on the paper instead. */
  show(strokes) {
    this.strokes = strokes;
    this.active = null;
    this.draw();
  }

  /** A second finger or the palm draws nothing; a pen replaces an earlier palm. */
  down(event) {
    if (event.button !== 0) return;
    const isPen = event.pointerType === "pen";
    if (event.pointerType === "touch" && event.timeStamp - this.penSeen < PALM_MS) return;
    if (this.active?.kind === "keyboard") this.leave();
    if (this.active && !(isPen && this.active.kind === "touch")) return;
    this.canvas.setPointerCapture(event.pointerId);
    this.cursor = null;
    this.begin(this.place(event), event.pointerId, event.pointerType);
  }

  drag(event) {
    if (event.pointerType === "pen") this.penSeen = event.timeStamp;
    if (this.active?.pointer !== event.pointerId) return;
    const moves = event.getCoalescedEvents?.() ?? [];
    this.grow(...(moves.length ? moves : [event]).map((move) => this.place(move)));
  }

  /** A quick stroke ends beyond its last move. */
  up(event) {
    if (this.active?.pointer !== event.pointerId) return;
    const { width } = this.active.points.at(-1); // a lifted pen has no pressure
    if (event.type === "pointerup") this.active.points.push({ ...this.place(event), width });
    this.end();
  }

  key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key in MOVES) this.move(...MOVES[event.key]);
    else if (event.key === " ") this.togglePen();
    else return;
    event.preventDefault();
  }

  blur() {
    this.end();
    this.cursor = null;
    this.draw();
  }

  /** End the keyboard's stroke; a mere dot was a slip of the space bar. */
  leave() {
    if (this.active.points.length > 1) this.end();
    else this.active = null;
  }

  move(right, down) {
    const within = (value) => Math.min(0.97, Math.max(0.03, value));
    const { x, y } = this.cursor ?? FROM;
    this.cursor = { x: within(x + right), y: within(y + down), width: this.nib };
    if (this.active) this.grow(this.cursor);
    else this.draw();
  }

  togglePen() {
    this.cursor ??= { ...FROM, width: this.nib };
    if (this.active) this.end();
    else this.begin(this.cursor, "keyboard", "keyboard");
    this.draw();
  }

  begin(point, pointer, kind) {
    this.active = { points: [], erases: this.erasing, pointer, kind };
    this.grow(point);
  }

  grow(...points) {
    this.active.points.push(...points);
    this.draw();
    this.changed();
  }

  end() {
    if (!this.active) return;
    const { points, erases } = this.active;
    this.strokes = [...this.strokes, { points, erases }];
    this.active = null;
    this.done(this.strokes);
  }

  get nib() {
    return this.width * (this.erasing ? RUBBER : 1);
  }

  /** An event's place on the paper and the line's width there, which grows with a pen's pressure. */
  place(event) {
    const { left, top, width, height } = this.canvas.getBoundingClientRect();
    const pressed = event.pointerType === "pen" && event.pressure > 0 ? 0.5 + event.pressure : 1;
    return { x: (event.clientX - left) / width, y: (event.clientY - top) / height, width: this.nib * pressed };
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
