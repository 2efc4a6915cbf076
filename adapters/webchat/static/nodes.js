// The server's rendered nodes as elements. Only createElement and text nodes: nothing a model writes is ever markup.

import { el, icon } from "./dom.js";
import { copyText } from "./clipboard.js";

const ADDRESS = /^(?:https?:\/\/|mailto:)/i;
const ALIGNED = { left: "start", center: "center", right: "end" };
/** The server nests no deeper; what is deeper all the same is shown as its text. */
const DEEPEST = 40;

/** Make one element of one block. A kind this page does not know is shown as its text. */
export function block(node, depth = 0) {
  if (!Array.isArray(node) || depth > DEEPEST) return el("p", { dir: "auto" }, flat(node));
  const [kind, ...rest] = node;
  switch (kind) {
    case "p": return el("p", { dir: "auto" }, inlines(rest));
    case "h": return heading(rest);
    case "code": return code(rest);
    case "ul": return el("ul", { dir: "auto" }, rest.map((item) => listItem(item, depth)));
    case "ol": return el("ol", { dir: "auto", start: rest[0] === 1 ? null : rest[0] }, rest.slice(1).map((item) => listItem(item, depth)));
    case "quote": return el("blockquote", { dir: "auto" }, rest.map((child) => block(child, depth + 1)));
    case "table": return table(rest);
    case "hr": return el("hr");
    default: return el("p", { dir: "auto" }, flat(node));
  }
}

/** Make the nodes of a list of inlines. */
export function inlines(list, depth = 0) {
  return list.map((node) => inline(node, depth));
}

export function inline(node, depth = 0) {
  if (typeof node === "string") return document.createTextNode(node);
  if (!Array.isArray(node) || depth > DEEPEST) return document.createTextNode(flat(node));
  const [kind, ...rest] = node;
  switch (kind) {
    case "b": return el("strong", {}, inlines(rest, depth + 1));
    case "i": return el("em", {}, inlines(rest, depth + 1));
    case "s": return el("s", {}, inlines(rest, depth + 1));
    case "c": return el("code", { dir: "ltr" }, rest[0]);
    case "a": return link(rest[0], rest[1]);
    case "br": return el("br");
    default: return document.createTextNode(flat(node));
  }
}

/** A link that tells its target nothing, and that only ever leads to a web or mail address. */
export function link(text, url) {
  if (typeof url !== "string" || !ADDRESS.test(url)) return document.createTextNode(`${text} (${url})`);
  return el("a", { href: url, target: "_blank", rel: "noopener noreferrer nofollow", title: url === text ? null : url }, el("bdi", {}, text));
}

export function listItem(blocks, depth = 0) {
  return el("li", {}, (Array.isArray(blocks) ? blocks : [["p", flat(blocks)]]).map((child) => block(child, depth + 1)));
}

export function tableRow(row, aligns, tag) {
  const cell = (content, column) => {
    const aligned = ALIGNED[aligns[column]];
    return el(tag, { dir: "auto", scope: tag === "th" ? "col" : null, class: aligned ? `to-${aligned}` : null }, inlines(content));
  };
  return el("tr", {}, row.map(cell));
}

function heading([level, ...content]) {
  // The page's own headings end at level 2.
  return el(`h${Math.min(6, Math.max(1, level) + 2)}`, { dir: "auto" }, inlines(content));
}

function code([lang, text]) {
  const body = el("code", {}, text);
  const label = el("span", {}, "Copy");
  const copy = async () => {
    label.textContent = (await copyText(body.textContent)) ? "Copied" : "Not copied";
    setTimeout(() => { label.textContent = "Copy"; }, 2000);
  };
  const bar = el("div", { class: "code-bar" },
    el("span", { class: "code-lang" }, lang || "text"),
    el("button", { type: "button", class: "code-copy", "aria-label": "Copy this code", on: { click: copy } }, icon("copy"), label));
  return el("figure", { class: "code", dir: "ltr" }, bar, el("pre", { tabindex: "0", "aria-label": "Code" }, body));
}

function table([aligns, header, ...rows]) {
  const head = header?.some((cell) => cell.length) ? el("thead", {}, tableRow(header, aligns, "th")) : null;
  const body = el("tbody", {}, rows.map((row) => tableRow(row, aligns, "td")));
  return el("div", { class: "table", tabindex: "0", role: "group", "aria-label": "Table" }, el("table", {}, head, body));
}

/** All text of a node, whatever it is. */
function flat(node) {
  if (typeof node === "string") return node;
  if (!Array.isArray(node)) return "";
  return node.slice(1).map(flat).join("");
}
