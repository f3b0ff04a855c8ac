// Light, dark, or as the system is. A classic script in the head, so that no page flashes in the wrong one.

const THEME = "digitrec-theme";
const NEXT = { auto: "light", light: "dark", dark: "auto" };

function applyTheme(theme) {
  if (theme === "auto") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme;
}

applyTheme(localStorage.getItem(THEME) ?? "auto");

document.addEventListener("DOMContentLoaded", () => {
  const button = document.getElementById("theme");
  const tell = () => {
    const theme = localStorage.getItem(THEME) ?? "auto";
    document.getElementById("theme-name").textContent = { auto: "Auto", light: "Light", dark: "Dark" }[theme];
  };
  button.hidden = false;
  button.addEventListener("click", () => {
    const theme = NEXT[localStorage.getItem(THEME) ?? "auto"];
    localStorage.setItem(THEME, theme);
    applyTheme(theme);
    tell();
    dispatchEvent(new Event("themechange"));
  });
  tell();
});
