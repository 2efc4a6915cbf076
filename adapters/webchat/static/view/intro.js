// First contact: what the assistant sees and keeps, at the beginning of every room.

import { el, icon } from "../dom.js";
import { avatar, roomFace } from "../faces.js";

/** Make the card. */
export function introCard(store, room) {
  const face = roomFace(room, store.me, store.assistant);
  const name = store.assistant.name;
  return el("section", { class: "intro", "aria-label": "About this chat" },
    avatar(face),
    el("h3", { dir: "auto" }, face.name),
    el("p", { class: "intro-lead" }, lead(room, name)),
    store.intro ? el("ul", { class: "intro-facts" },
      fact("spark", `What @${name} sees`, store.intro.sees),
      fact("lock", "What is kept", store.intro.keeps)) : null,
    store.intro?.caution ? el("p", { class: "intro-small" }, store.intro.caution) : null,
    el("p", { class: "intro-small" }, `${name} is an AI. It can be wrong: check what matters.`));
}

function lead(room, name) {
  if (room.kind === "direct") return `Ask ${name} anything. Every message here goes to it.`;
  return `Write @${name} where you want its help, or reply to one of its messages. It stays silent otherwise.`;
}

function fact(drawing, title, text) {
  return el("li", {}, icon(drawing), el("div", {}, el("b", {}, title), el("span", {}, Array.isArray(text) ? text.join(" ") : text)));
}
