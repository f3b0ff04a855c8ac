// Light, dark, or as the system is. A classic script in the head, so that no page flashes in the wrong theme.

const THEME = "digitrec-theme";
const NEXT = { auto: "light", light: "dark", dark: "auto" };
const root = document.documentElement;
root.dataset.theme = stored(() => localStorage.getItem(THEME)) ?? "auto";

/** Use the browser's storage; null if it lets the page keep nothing. */
function stored(use) {
  try {
    return use();
  } catch {
    return null;
  }
}

document.addEventListener("DOMContentLoaded", () => {
  const button = document.getElementById("theme");
  const tell = ({ theme } = root.dataset) => {
    document.getElementById("theme-name").textContent = `${theme[0].toUpperCase()}${theme.slice(1)}`;
  };
  button.hidden = false;
  button.addEventListener("click", () => {
    root.dataset.theme = NEXT[root.dataset.theme];
    stored(() => localStorage.setItem(THEME, root.dataset.theme));
    tell();
    dispatchEvent(new Event("themechange"));
  });
  tell();
});
