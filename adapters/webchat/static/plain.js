// What people write, as nodes: their text as it is, with web addresses to follow and mentions to see.

import { el } from "./dom.js";
import { link } from "./nodes.js";

const ADDRESS = /https?:\/\/[^\s<>"'\u0000-\u001f]+/giu;
const ENDING = /[.,;:!?)\]}\u2019\u201d'"]+$/u;
const ONLY_EMOJI = /^(?:\p{Extended_Pictographic}|\p{Emoji_Modifier}|\p{Regional_Indicator}|\u200d|\ufe0f|\s){1,24}$/u;

/** Make the nodes of a text. `names` are those whose mention is shown as one. */
export function plainNodes(text, names = []) {
  const nodes = [];
  let end = 0;
  for (const found of text.matchAll(ADDRESS)) {
    const url = trimmed(found[0]);
    nodes.push(...mentions(text.slice(end, found.index), names), link(url, url));
    end = found.index + url.length;
  }
  nodes.push(...mentions(text.slice(end), names));
  return nodes;
}

/** True for a message of a few emoji and nothing else: shown large. */
export function isOnlyEmoji(text) {
  return ONLY_EMOJI.test(text) && text.trim() !== "" && [...text.replace(/[\s\u200d\ufe0f]/gu, "")].length <= 6;
}

/** The start of a text on one line, for quotes and previews. */
export function oneLine(text, longest = 140) {
  const line = text.slice(0, longest * 4).replace(/\s+/gu, " ").trim();
  const signs = [...line];
  return signs.length > longest ? `${signs.slice(0, longest).join("")}…` : line;
}

/** Markdown without its marks, well enough for a line of preview. */
export function withoutMarks(markdown) {
  return markdown
    .slice(0, 2000)
    .replace(/^```.*$/gmu, "")
    .replace(/^\s*(?:#{1,6}|>|[-*+]|\d+[.)])\s+/gmu, "")
    .replace(/^\s*\|?[\s:|-]+\|?\s*$/gmu, "")
    .replace(/\[([^\]]*)\]\([^)]*\)/gu, "$1")
    .replace(/(\*\*|__|~~|`)/gu, "")
    .replace(/(^|\s)[*_](\S[^*_]*)[*_]/gu, "$1$2")
    .replace(/\s*\|\s*/gu, " ");
}

function mentions(text, names) {
  if (!text.includes("@") || !names.length) return text ? [document.createTextNode(text)] : [];
  const spelled = [...names].sort((one, other) => other.length - one.length).map(escaped).join("|");
  const pattern = new RegExp(`@(?:${spelled})(?![\\p{L}\\p{N}_])`, "giu");
  const nodes = [];
  let end = 0;
  for (const found of text.matchAll(pattern)) {
    if (found.index > 0 && /[\p{L}\p{N}_]/u.test(text[found.index - 1])) continue;
    nodes.push(document.createTextNode(text.slice(end, found.index)), el("bdi", { class: "mention" }, found[0]));
    end = found.index + found[0].length;
  }
  nodes.push(document.createTextNode(text.slice(end)));
  return nodes;
}

function trimmed(url) {
  // A bracket closes what the sentence opened, unless the address opened it itself.
  const ending = url.match(ENDING)?.[0] ?? "";
  const isItsOwn = ending.startsWith(")") && url.includes("(");
  return isItsOwn ? url : url.slice(0, url.length - ending.length);
}

function escaped(name) {
  return name.replace(/[\\^$.*+?()[\]{}|]/gu, "\\$&");
}
