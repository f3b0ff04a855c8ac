// A drawing: strokes whose points and widths are shares of the paper's side, so that any size shows the same.

const SENT_SIDE = 280;
const DOT = 0.15; // a drawing whose lines together are shorter is a tap
const CORNER = 0.35; // a turn with a smaller cosine stays a corner, as in a 7 that was drawn quickly

/** Paint one stroke, `{ points: [{ x, y, width }], erases }`: a smooth curve through every one of its points. */
export function trace(context, { points, erases }, side, colour) {
  context.save();
  context.scale(side, side);
  context.globalCompositeOperation = erases ? "destination-out" : "source-over";
  context.strokeStyle = context.fillStyle = colour;
  context.lineCap = "round";
  dot(context, points[0]);
  const slopes = points.map((point, at) => slope(points[at - 1], point, points[at + 1]));
  points.slice(1).forEach((to, before) => {
    const from = points[before];
    const reach = distance(from, to) / 3;
    const [first, last] = [slopes[before], slopes[before + 1]];
    context.beginPath();
    context.lineWidth = to.width;
    context.moveTo(from.x, from.y);
    context.bezierCurveTo(
      from.x + reach * first.x, from.y + reach * first.y, to.x - reach * last.x, to.y - reach * last.y, to.x, to.y,
    );
    context.stroke();
  });
  context.restore();
}

/** The drawing for the engines: black on white in every theme. */
export function pictureOf(strokes) {
  const sheet = new OffscreenCanvas(SENT_SIDE, SENT_SIDE);
  const context = sheet.getContext("2d");
  strokes.forEach((stroke) => trace(context, stroke, SENT_SIDE, "black"));
  context.globalCompositeOperation = "destination-over";
  context.fillStyle = "white";
  context.fillRect(0, 0, SENT_SIDE, SENT_SIDE);
  return sheet.convertToBlob({ type: "image/png" });
}

/** Whether there is no more than a dot on the paper. */
export function isTap(strokes) {
  const steps = strokes.filter((stroke) => !stroke.erases).flatMap(({ points }) => (
    points.slice(1).map((point, before) => distance(points[before], point))
  ));
  return steps.reduce((sum, step) => sum + step, 0) < DOT;
}

/** The curve's direction at a point, of length 1; of length 0 at an end and in a corner. */
function slope(before, at, after) {
  if (!before || !after) return { x: 0, y: 0 };
  const [there, on, whole] = [distance(before, at), distance(at, after), distance(before, after)];
  const turn = ((at.x - before.x) * (after.x - at.x) + (at.y - before.y) * (after.y - at.y)) / (there * on);
  if (!(turn > CORNER)) return { x: 0, y: 0 };
  return { x: (after.x - before.x) / whole, y: (after.y - before.y) / whole };
}

function distance(one, other) {
  return Math.hypot(other.x - one.x, other.y - one.y);
}

function dot(context, { x, y, width }) {
  context.beginPath();
  context.arc(x, y, width / 2, 0, 2 * Math.PI);
  context.fill();
}
