// The keys, on one sheet.

import { el } from "../dom.js";
import { openDialog } from "./dialog.js";

const KEYS = [
  ["Enter", "Send"],
  ["Shift + Enter", "New line"],
  ["@", "Mention the assistant or somebody"],
  ["↑ in an empty field", "Edit your last message"],
  ["Escape", "Leave what is open; stop replying or editing"],
  ["↑ ↓", "Move through chats, messages and menus"],
  ["Enter on a message", "Its menu: react, reply, copy, edit, delete"],
  ["r on a message", "Reply to it"],
  ["Alt + ↑ ↓", "Previous or next chat"],
  ["Ctrl + K", "Search in your chats"],
  ["Alt + M", "To the messages; again: to the field"],
  ["End on a message", "Jump to the newest"],
  ["?", "This sheet"],
];

/** Show it. */
export function shortcutsDialog() {
  return openDialog("Keys", (body) => {
    body.append(el("dl", { class: "keys" }, KEYS.map(([key, meaning]) => el("div", {}, el("dt", {}, el("kbd", {}, key)), el("dd", {}, meaning)))));
  });
}
