// Pictures to begin with, for who has nothing at hand.

const SAMPLES = [
  ["sample-shadow.jpg", "A digit in the shadow of a phone"],
  ["sample-squared.jpg", "A digit on squared paper"],
  ["sample-red.jpg", "A digit in red ink"],
  ["sample-note.jpg", "A digit on a yellow note"],
  ["sample-blackboard.jpg", "A digit on a blackboard"],
  ["sample-letter.jpg", "A letter, which is to be refused"],
];

/** Fill the list; `take(blob)` gets the one that is clicked, `fail(problem)` why it cannot be had. */
export function offerSamples(list, take, fail) {
  list.replaceChildren(...SAMPLES.map(([name, what]) => {
    const item = document.createElement("li");
    const button = document.createElement("button");
    button.type = "button";
    const image = document.createElement("img");
    image.src = `static/${name}`;
    image.alt = what;
    image.width = image.height = 64;
    button.append(image);
    button.addEventListener("click", async () => {
      try {
        take(await (await fetch(image.src)).blob());
      } catch {
        fail();
      }
    });
    item.append(button);
    return item;
  }));
}
