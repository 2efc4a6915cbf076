// A dialog in front of the page: the browser's own <dialog> keeps the focus in it and closes it with Escape.

import { el, fill, iconButton } from "../dom.js";

let count = 0;

/** Show a dialog of that title. `make(body, close)` fills it. Resolves with what it is closed with, or null. */
export function openDialog(title, make, { wide = false } = {}) {
  const id = `dialog-${++count}`;
  const body = el("div", { class: "dialog-body" });
  const returnTo = document.activeElement;
  return new Promise((resolve) => {
    let result = null;
    const dialog = el("dialog", { class: wide ? "wide" : null, "aria-labelledby": id });
    const close = (value = null) => {
      result = value;
      dialog.close();
    };
    dialog.addEventListener("close", () => {
      dialog.remove();
      resolve(result);
      returnTo?.focus?.({ preventScroll: true });
    });
    // A press on the backdrop, and not one that only ends there.
    dialog.addEventListener("pointerdown", (event) => event.target === dialog && isOutside(event, dialog) && close());
    fill(dialog, el("header", { class: "dialog-head" }, el("h2", { id }, title), iconButton("close", "Close", () => close())), body);
    make(body, close);
    document.body.append(dialog);
    dialog.showModal();
    (body.querySelector("[autofocus], input, textarea, select") ?? body.querySelector("button"))?.focus();
  });
}

/** A labelled field. */
export function field(label, input, hint = null) {
  return el("label", { class: "field" }, el("span", {}, label), input, hint ? el("small", {}, hint) : null);
}

/** Where a dialog says what is wrong. */
export function problemLine() {
  const line = el("p", { class: "problem", role: "alert", hidden: true });
  return { line, say: (text) => { line.textContent = text ?? ""; line.hidden = !text; } };
}

/** A form whose button waits while `work` runs; what `work` throws is told in the form. */
export function dialogForm(parts, button, work) {
  const problem = problemLine();
  const submit = el("button", { type: "submit", class: "primary wide" }, button);
  const form = el("form", { class: "dialog-form", novalidate: true }, parts, problem.line, submit);
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    submit.disabled = true;
    problem.say(null);
    try {
      await work(new FormData(form));
    } catch (refusal) {
      problem.say(refusal.message);
    } finally {
      submit.disabled = false;
    }
  });
  return form;
}

function isOutside(event, dialog) {
  const box = dialog.getBoundingClientRect();
  return event.clientX < box.left || event.clientX > box.right || event.clientY < box.top || event.clientY > box.bottom;
}
