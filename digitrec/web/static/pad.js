// Paper to draw on, with mouse, finger, pen or keyboard.

const SENT_SIDE = 280;
const STEP = 0.025; // how far an arrow key moves the pen, as a share of the side

/** Strokes in coordinates 0..1, so that paper of any size and resolution shows the same. */
export class Pad {
  constructor(canvas, onChange) {
    this.canvas = canvas;
    this.onChange = onChange;
    this.strokes = [];
    this.width = 0.065;
    this.active = null;
    this.cursor = null; // where the keyboard's pen is
    this.listen();
    new ResizeObserver(() => this.resize()).observe(canvas);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.draw());
  }

  get empty() {
    return this.strokes.length === 0;
  }

  clear() {
    this.strokes = [];
    this.changed();
  }

  undo() {
    this.strokes.pop();
    this.changed();
  }

  /** The drawing as the engines get it: black on white, whatever the page looks like. */
  async blob() {
    const sheet = new OffscreenCanvas(SENT_SIDE, SENT_SIDE);
    const context = sheet.getContext("2d");
    context.fillStyle = "white";
    context.fillRect(0, 0, SENT_SIDE, SENT_SIDE);
    this.strokes.forEach((stroke) => trace(context, stroke, SENT_SIDE, "black"));
    return sheet.convertToBlob({ type: "image/png" });
  }

  changed() {
    this.active = null;
    this.draw();
    this.onChange();
  }

  listen() {
    const { canvas } = this;
    canvas.addEventListener("pointerdown", (event) => {
      if (event.button !== 0) return;
      canvas.setPointerCapture(event.pointerId);
      this.cursor = null;
      this.begin(this.place(event), event.pointerId);
    });
    canvas.addEventListener("pointermove", (event) => {
      if (this.active?.pointer !== event.pointerId) return;
      const moves = event.getCoalescedEvents?.() ?? [];
      (moves.length ? moves : [event]).forEach((move) => this.active.points.push(this.place(move)));
      this.draw();
      this.onChange();
    });
    for (const end of ["pointerup", "pointercancel"]) {
      canvas.addEventListener(end, (event) => {
        if (this.active?.pointer === event.pointerId) this.active = null;
      });
    }
    canvas.addEventListener("keydown", (event) => this.key(event));
    canvas.addEventListener("blur", () => {
      this.cursor = null;
      this.active = null;
      this.draw();
    });
  }

  key(event) {
    const moves = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key in moves) this.move(...moves[event.key]);
    else if (event.key === " ") this.togglePen();
    else if (event.key === "Backspace") this.undo();
    else if (event.key === "Delete") this.clear();
    else return;
    event.preventDefault();
  }

  move(right, down) {
    this.cursor ??= { x: 0.5, y: 0.3 };
    const within = (value) => Math.min(0.97, Math.max(0.03, value));
    this.cursor = { x: within(this.cursor.x + right * STEP), y: within(this.cursor.y + down * STEP) };
    if (this.active) this.active.points.push(this.cursor);
    this.draw();
    if (this.active) this.onChange();
  }

  togglePen() {
    this.cursor ??= { x: 0.5, y: 0.3 };
    if (this.active) this.active = null;
    else this.begin(this.cursor, "keyboard");
    this.draw();
  }

  begin(point, pointer) {
    this.active = { points: [point], width: this.width, pointer };
    this.strokes.push(this.active);
    this.draw();
    this.onChange();
  }

  place(event) {
    const box = this.canvas.getBoundingClientRect();
    return { x: (event.clientX - box.left) / box.width, y: (event.clientY - box.top) / box.height };
  }

  resize() {
    this.canvas.width = Math.round(this.canvas.clientWidth * devicePixelRatio);
    this.canvas.height = Math.round(this.canvas.clientHeight * devicePixelRatio);
    this.draw();
  }

  draw() {
    const context = this.canvas.getContext("2d");
    const side = this.canvas.width;
    const style = getComputedStyle(this.canvas);
    context.clearRect(0, 0, side, this.canvas.height);
    this.strokes.forEach((stroke) => trace(context, stroke, side, style.getPropertyValue("--stroke")));
    if (this.cursor) this.drawCursor(context, side, style.getPropertyValue("--accent"));
  }

  drawCursor(context, side, colour) {
    context.beginPath();
    context.arc(this.cursor.x * side, this.cursor.y * side, (this.width * side) / 2, 0, 2 * Math.PI);
    context.lineWidth = 0.008 * side;
    context.strokeStyle = context.fillStyle = colour;
    if (this.active) context.fill();
    else context.stroke();
  }
}

/** One stroke, smoothed: a curve through the middles between its points. */
function trace(context, { points, width }, side, colour) {
  const at = points.map(({ x, y }) => [x * side, y * side]);
  context.strokeStyle = colour;
  context.lineWidth = width * side;
  context.lineCap = context.lineJoin = "round";
  context.beginPath();
  context.moveTo(...at[0]);
  for (let i = 1; i < at.length - 1; i += 1) {
    context.quadraticCurveTo(...at[i], (at[i][0] + at[i + 1][0]) / 2, (at[i][1] + at[i + 1][1]) / 2);
  }
  context.lineTo(...at[at.length - 1]);
  context.stroke();
}
