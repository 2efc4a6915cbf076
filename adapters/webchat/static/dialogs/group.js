// Making a group, naming it, and joining one by a link.

import { el } from "../dom.js";
import { freshId } from "../storage.js";
import { dialogForm, field, openDialog } from "./dialog.js";

/** Make a group. Resolves with the room, or null. */
export function newGroupDialog(chat) {
  // One id a dialog: pressing twice, or again after a lost answer, makes one group.
  const clientId = freshId();
  return openDialog("New group", (body, close) => {
    body.append(
      el("p", { class: "dialog-lead" }, `You invite people with a link. ${chat.store.assistant.name} is there too, and stays silent until somebody mentions it.`),
      dialogForm([field("Name of the group", titleInput(chat, ""))], "Create the group", async (form) => {
        close(await chat.ask("create", { title: form.get("title").trim(), client_id: clientId }));
      }));
  });
}

/** Give a room another title. */
export function titleDialog(chat, room) {
  return openDialog("Name this chat", (body, close) => {
    body.append(dialogForm([field("Name", titleInput(chat, room.title))], "Save", async (form) => {
      await chat.ask("title", { room: room.id, title: form.get("title").trim() });
      close(true);
    }));
  });
}

/** Come into a room by an invitation's code. Resolves with the room, or null. */
export function joinDialog(chat, code, title) {
  return openDialog("You are invited", (body, close) => {
    const join = async () => close(await chat.ask("join", { code }));
    body.append(
      el("p", { class: "dialog-lead" }, "Join ", el("bdi", { class: "strong" }, title || "this chat"), ` as ${chat.store.me.name}?`),
      dialogForm([], "Join the chat", join));
  });
}

function titleInput(chat, value) {
  return el("input", { name: "title", type: "text", dir: "auto", required: true, maxlength: String(chat.store.limits.title), value, autocomplete: "off" });
}
