// Making elements. Text only ever enters as text nodes: no function here reads markup.

const SVG = "http://www.w3.org/2000/svg";

/** Make an element. `on` holds listeners, `data` the data attributes; null, undefined and false leave an attribute out. */
export function el(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name === "on") {
      for (const [kind, listener] of Object.entries(value)) node.addEventListener(kind, listener);
    } else if (name === "data") {
      Object.assign(node.dataset, value);
    } else if (value === true) {
      node.setAttribute(name, "");
    } else if (value !== null && value !== undefined && value !== false) {
      node.setAttribute(name, value);
    }
  }
  node.append(...present(children));
  return node;
}

/** Show one of the shell's drawings; it says nothing to a screen reader. */
export function icon(name) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("class", "icon");
  svg.setAttribute("aria-hidden", "true");
  const use = document.createElementNS(SVG, "use");
  use.setAttribute("href", `#i-${name}`);
  svg.append(use);
  return svg;
}

/** A button of an icon and a name. */
export function iconButton(name, label, click, attributes = {}) {
  return el("button", { type: "button", class: "tool", "aria-label": label, title: label, on: { click }, ...attributes }, icon(name));
}

/** Put these children, and only these, into an element. */
export function fill(node, ...children) {
  node.replaceChildren(...present(children));
}

/** The element of that id, which the shell holds. */
export function byId(id) {
  return document.getElementById(id);
}

/** Say something to a screen reader that eyes see in another way. */
export function unseen(text) {
  return el("span", { class: "visually-hidden" }, text);
}

function present(children) {
  return children.flat().filter((child) => child !== null && child !== undefined && child !== false);
}
