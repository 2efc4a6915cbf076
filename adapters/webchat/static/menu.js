// A menu at a place on the page: arrow keys, Escape, a press elsewhere closes it. On a phone it is a sheet at the bottom.

import { el, icon } from "./dom.js";

let closeOpen = null;

/** Close the menu that is open, if one is. */
export function closeMenu() {
  closeOpen?.();
}

/** Show a menu. `items` are {label, drawing, act, isDangerous}; `head` stands above them. `at` is {x, y} or an element. */
export function openMenu(items, at, { label, head = null }) {
  closeMenu();
  const returnTo = document.activeElement;
  const list = el("div", { class: "menu-items", role: "menu", "aria-label": label }, items.map((item) => menuItem(item)));
  const menu = el("div", { class: "menu" }, head, list);
  const cover = el("div", { class: "menu-cover" }, menu);
  const close = ({ refocus = true } = {}) => {
    if (!cover.isConnected) return;
    cover.remove();
    closeOpen = null;
    if (refocus && (document.activeElement === document.body || !document.activeElement)) returnTo?.focus?.({ preventScroll: true });
  };
  closeOpen = close;
  cover.addEventListener("pointerdown", (event) => event.target === cover && close());
  cover.addEventListener("contextmenu", (event) => event.preventDefault());
  menu.addEventListener("keydown", (event) => moveBy(event, menu, close));
  menu.addEventListener("click", (event) => event.target.closest("button") && close());
  document.body.append(cover);
  place(menu, at);
  menu.querySelector("button")?.focus({ preventScroll: true });
}

function menuItem({ label, drawing, act, isDangerous = false }) {
  return el("button", { type: "button", role: "menuitem", class: isDangerous ? "danger" : null, tabindex: "-1", on: { click: () => queueMicrotask(act) } }, icon(drawing), el("span", {}, label));
}

function moveBy(event, menu, close) {
  const buttons = [...menu.querySelectorAll("button")];
  const at = buttons.indexOf(document.activeElement);
  const steps = { ArrowDown: 1, ArrowRight: 1, ArrowUp: -1, ArrowLeft: -1 };
  if (event.key in steps) buttons[(at + steps[event.key] + buttons.length) % buttons.length].focus();
  else if (event.key === "Home") buttons[0].focus();
  else if (event.key === "End") buttons.at(-1).focus();
  else if (event.key === "Escape" || event.key === "Tab") close();
  else return;
  event.preventDefault();
  event.stopPropagation();
}

/** Keep it on the screen. The style sheet makes it a sheet where the screen is narrow. */
function place(menu, at) {
  const box = at instanceof Element ? at.getBoundingClientRect() : null;
  const [x, y] = box ? [box.left, box.bottom + 4] : [at.x, at.y];
  const { width, height } = menu.getBoundingClientRect();
  const top = y + height > innerHeight - 8 ? Math.max(8, (box ? box.top - 4 : y) - height) : y;
  menu.style.setProperty("--x", `${Math.max(8, Math.min(x, innerWidth - width - 8))}px`);
  menu.style.setProperty("--y", `${top}px`);
}
