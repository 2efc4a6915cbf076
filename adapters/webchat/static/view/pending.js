// A message of one's own that is not known to have arrived.

import { el, icon, unseen } from "../dom.js";
import { bubble } from "./message.js";

/** Make its list item. `actions` are again(clientId) and discard(clientId). */
export function pendingItem(item, world, actions, isOnline) {
  const message = { ref: item.client_id, kind: "said", by: world.me.id, text: item.text, reply_to: item.reply_to, at: new Date(item.at).toISOString(), reactions: new Map() };
  const isFailed = item.state === "failed";
  const word = isFailed ? "not sent" : isOnline ? "sending" : "waiting for the connection";
  const state = el("span", { class: "state" }, isOnline && !isFailed ? null : word, icon(isFailed ? "alert" : "clock"), isOnline && !isFailed ? unseen(word) : null);
  return el("li", { class: `message own pending ${item.state}`, data: { client: item.client_id, state: isFailed ? "failed" : "sending" }, tabindex: "-1" },
    el("div", { class: "row" }, el("div", { class: "stack" },
      bubble(message, world, { isOwn: true, isAi: false, grouped: true, state }),
      isFailed ? trouble(item, actions) : null)));
}

function trouble(item, actions) {
  return el("div", { class: "trouble", role: "alert" },
    el("span", {}, item.problem || "This was not sent."),
    el("button", { type: "button", class: "link", on: { click: () => actions.again(item.client_id) } }, "Try again"),
    el("button", { type: "button", class: "link", on: { click: () => actions.discard(item.client_id) } }, "Take back"));
}
