// Asking before something that cannot be undone.

import { el } from "../dom.js";
import { openDialog } from "./dialog.js";

/** Ask. Resolves with true or false. */
export async function confirmDialog({ title, text, yes, isDangerous = false }) {
  const answer = await openDialog(title, (body, close) => {
    body.append(
      el("p", { dir: "auto" }, text),
      el("div", { class: "dialog-buttons" },
        el("button", { type: "button", class: "quiet", on: { click: () => close(false) } }, "Cancel"),
        el("button", { type: "button", class: isDangerous ? "primary bad" : "primary", autofocus: true, on: { click: () => close(true) } }, yes)));
  });
  return answer === true;
}
