// A drawing: strokes whose points and widths are shares of the paper's side, so that any size shows the same.

export const SENT_SIDE = 280;
const DOT = 0.15; // a drawing whose lines together are shorter is a tap

/** Paint one stroke, `{ points: [{ x, y, width }], erases }`, smoothed: curves through the middles of its points. */
export function trace(context, { points, erases }, side, colour) {
  context.globalCompositeOperation = erases ? "destination-out" : "source-over";
  context.strokeStyle = context.fillStyle = colour;
  context.lineCap = "round";
  dot(context, points[0], side);
  let from = points[0];
  points.slice(1).forEach((point, before) => {
    const to = before + 2 < points.length ? middle(point, points[before + 2]) : point;
    context.beginPath();
    context.lineWidth = point.width * side;
    context.moveTo(from.x * side, from.y * side);
    context.quadraticCurveTo(point.x * side, point.y * side, to.x * side, to.y * side);
    context.stroke();
    from = to;
  });
  context.globalCompositeOperation = "source-over";
}

/** The drawing as the engines get it: black on white, whatever the page looks like. */
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
  const lengths = strokes.filter((stroke) => !stroke.erases).map(({ points }) => (
    points.slice(1).reduce((sum, { x, y }, before) => sum + Math.hypot(x - points[before].x, y - points[before].y), 0)
  ));
  return lengths.reduce((sum, length) => sum + length, 0) < DOT;
}

function dot(context, { x, y, width }, side) {
  context.beginPath();
  context.arc(x * side, y * side, (width * side) / 2, 0, 2 * Math.PI);
  context.fill();
}

function middle(one, other) {
  return { x: (one.x + other.x) / 2, y: (one.y + other.y) / 2 };
}
