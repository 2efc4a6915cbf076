// How people and rooms look: a colour and one or two letters.

import { el, icon } from "./dom.js";

export const TINTS = ["blue", "teal", "green", "amber", "orange", "red", "pink", "violet"];

/** A person's colour; where it is not known, one that stays the same for the same id. */
export function tintOf(id, colour = "") {
  if (TINTS.includes(colour)) return colour;
  let sum = 0;
  for (const sign of id) sum = (sum * 31 + sign.codePointAt(0)) >>> 0;
  return TINTS[sum % TINTS.length];
}

/** The letters that stand for a name. */
export function initials(name) {
  const words = name.trim().split(/\s+/u).filter(Boolean);
  const letters = words.length > 1 ? [first(words[0]), first(words.at(-1))] : [first(words[0] ?? "?")];
  return letters.join("").toLocaleUpperCase();
}

/** A round face; `isAssistant` gives it the assistant's. */
export function avatar({ id, name, colour, isAssistant = false, isGroup = false, isOnline = false }) {
  const face = isAssistant ? icon("spark") : isGroup ? icon("people") : el("span", {}, initials(name));
  const tint = isAssistant ? "assistant" : tintOf(id, colour);
  return el("span", { class: "avatar", "aria-hidden": "true", data: { tint } }, face, isOnline ? el("span", { class: "dot" }) : null);
}

/** A name within a sentence of ours: its direction stays its own (Unicode's isolates, UAX 9). */
export function apart(name) {
  return `\u2068${name}\u2069`;
}

/** What a room is called for this person, and whose face it wears. */
export function roomFace(room, me, assistant) {
  if (room.kind === "direct") return { id: room.id, name: assistant.name, isAssistant: true };
  if (room.kind === "pair") {
    const other = otherOf(room, me);
    if (other) return { ...other, isOnline: room.online.has(other.id) };
    return { id: room.id, name: room.title || "Somebody who left" };
  }
  return { id: room.id, name: room.title || "A chat", colour: "", isGroup: false };
}

/** The other person of a direct chat between two. */
export function otherOf(room, me) {
  return room.members.find((member) => member.id !== me.id) ?? null;
}

function first(word) {
  const segments = typeof Intl.Segmenter === "function" ? [...new Intl.Segmenter().segment(word)] : null;
  return segments ? segments[0]?.segment ?? "?" : [...word][0] ?? "?";
}
