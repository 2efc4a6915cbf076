// What a screen reader is told: finished things only, one at a time.

import { byId, el } from "./dom.js";

const GAP_MS = 1200;
const TOAST_MS = 6000;
const waiting = [];
let isSpeaking = false;

/** Say something politely. */
export function announce(text) {
  waiting.push(text);
  if (waiting.length > 5) waiting.splice(0, waiting.length - 5);
  if (!isSpeaking) next();
}

/** Show a short note at the edge; it is read aloud as well. */
export function toast(text, { isProblem = false } = {}) {
  const note = el("p", { class: `toast${isProblem ? " bad" : ""}` }, text);
  byId("toasts").append(note);
  while (byId("toasts").children.length > 3) byId("toasts").firstElementChild.remove();
  setTimeout(() => note.remove(), TOAST_MS);
}

function next() {
  const text = waiting.shift();
  isSpeaking = text !== undefined;
  if (!isSpeaking) return;
  byId("announce").textContent = text;
  setTimeout(next, GAP_MS);
}
