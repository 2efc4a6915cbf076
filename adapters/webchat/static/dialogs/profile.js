// One's own name and colour, and leaving this browser.

import { confirmDialog } from "./confirm.js";
import { el } from "../dom.js";
import { TINTS } from "../faces.js";
import { dialogForm, field, openDialog } from "./dialog.js";

/** Show it. */
export function profileDialog(chat) {
  const { me, limits } = chat.store;
  return openDialog("You", (body, close) => {
    const name = el("input", { name: "name", type: "text", dir: "auto", required: true, maxlength: String(limits.name), value: me.name, autocomplete: "nickname", spellcheck: "false" });
    const form = dialogForm([field("Your name", name), tints(me.colour)], "Save", async (data) => {
      const now = await chat.ask("profile", { name: data.get("name").trim(), colour: data.get("colour") ?? me.colour });
      chat.store.me = { ...me, ...now };
      chat.store.emit("me");
      close(true);
    });
    const leave = el("button", { type: "button", class: "link danger", on: { click: () => forgetMe() } }, "Leave this browser");
    body.append(form, el("p", { class: "dialog-foot" }, leave));
  });
}

function tints(chosen) {
  return el("fieldset", { class: "tints" }, el("legend", {}, "Your colour"), TINTS.map((tint) =>
    el("label", { class: "tint", data: { tint } }, el("input", { type: "radio", name: "colour", value: tint, checked: tint === chosen }), el("span", { class: "visually-hidden" }, tint))));
}

async function forgetMe() {
  const isSure = await confirmDialog({ title: "Leave this browser?", text: "You can only come back as this person from another browser where you are still in. Your chats stay for the others.", yes: "Leave", isDangerous: true });
  if (!isSure) return;
  await fetch("/forget-me", { method: "POST", credentials: "same-origin" });
  localStorage.clear();
  location.assign("/");
}
