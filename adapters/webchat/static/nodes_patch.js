// Bringing shown blocks up to date while they grow: what stays the same is not touched, so that a selection, a
// button's focus and the scroll of a wide table survive while the last line is still being written.

import { block, inline, listItem, tableRow } from "./nodes.js";

/** Make the element's children show `blocks`, where they show `before` now. */
export function showBlocks(element, before, blocks) {
  let kept = 0;
  while (kept < before.length && kept < blocks.length && update(element.children[kept], before[kept], blocks[kept])) kept += 1;
  while (element.children.length > kept) element.lastElementChild.remove();
  element.append(...blocks.slice(kept).map((node) => block(node)));
}

/** Make one block's element show another node of its kind. Returns false where that needs a new element. */
function update(element, before, after) {
  if (same(before, after)) return true;
  if (before[0] !== after[0]) return false;
  switch (after[0]) {
    case "p": return updateInlines(element, before.slice(1), after.slice(1));
    case "h": return before[1] === after[1] && updateInlines(element, before.slice(2), after.slice(2));
    case "code": return before[1] === after[1] && updateCode(element, before[2], after[2]);
    case "ul": return updateItems(element, before.slice(1), after.slice(1));
    case "ol": return before[1] === after[1] && updateItems(element, before.slice(2), after.slice(2));
    case "quote": return updateBlocks(element, before.slice(1), after.slice(1));
    case "table": return updateTable(element, before.slice(1), after.slice(1));
    default: return false;
  }
}

function updateInlines(element, before, after) {
  let kept = 0;
  while (kept < before.length && kept < after.length && same(before[kept], after[kept])) kept += 1;
  const [old, fresh] = [before[kept], after[kept]];
  const node = element.childNodes[kept];
  if (typeof old === "string" && typeof fresh === "string" && fresh.startsWith(old) && node?.nodeType === Node.TEXT_NODE) {
    node.appendData(fresh.slice(old.length));
    kept += 1;
  }
  while (element.childNodes.length > kept) element.lastChild.remove();
  element.append(...after.slice(kept).map((child) => inline(child)));
  return true;
}

function updateCode(element, before, after) {
  const body = element.querySelector("pre > code");
  if (after.startsWith(before) && body.firstChild) body.firstChild.appendData(after.slice(before.length));
  else body.textContent = after;
  return true;
}

function updateBlocks(element, before, after) {
  showBlocks(element, before, after);
  return true;
}

function updateItems(element, before, after) {
  let kept = 0;
  for (; kept < before.length && kept < after.length; kept += 1) {
    if (!same(before[kept], after[kept])) showBlocks(element.children[kept], before[kept], after[kept]);
  }
  while (element.children.length > kept) element.lastElementChild.remove();
  element.append(...after.slice(kept).map((item) => listItem(item)));
  return true;
}

function updateTable(element, [aligns, header, ...rows], [newAligns, newHeader, ...newRows]) {
  if (!same(aligns, newAligns) || !same(header, newHeader)) return false;
  const body = element.querySelector("tbody");
  let kept = 0;
  while (kept < rows.length && kept < newRows.length && same(rows[kept], newRows[kept])) kept += 1;
  while (body.children.length > kept) body.lastElementChild.remove();
  body.append(...newRows.slice(kept).map((row) => tableRow(row, newAligns, "td")));
  return true;
}

function same(one, other) {
  if (one === other) return true;
  if (!Array.isArray(one) || !Array.isArray(other) || one.length !== other.length) return false;
  return one.every((child, index) => same(child, other[index]));
}
