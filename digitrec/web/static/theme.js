// Light, dark, or as the system is. A classic script in the head, so that no page flashes in the wrong theme.

const THEME = "digitrec-theme";
const NEXT = { auto: "light", light: "dark", dark: "auto" };
const root = document.documentElement;
root.dataset.theme = localStorage.getItem(THEME) ?? "auto";

document.addEventListener("DOMContentLoaded", () => {
  const button = document.getElementById("theme");
  const tell = ({ theme } = root.dataset) => {
    document.getElementById("theme-name").textContent = `${theme[0].toUpperCase()}${theme.slice(1)}`;
  };
  button.hidden = false;
  button.addEventListener("click", () => {
    root.dataset.theme = NEXT[root.dataset.theme];
    localStorage.setItem(THEME, root.dataset.theme);
    tell();
    dispatchEvent(new Event("themechange"));
  });
  tell();
});
