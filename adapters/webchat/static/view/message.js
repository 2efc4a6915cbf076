// One message as an element. It is drawn anew when it changes; the list decides where it stands.

import { dayOf, isSameDay, timeOf, wholeTime } from "../clock.js";
import { el, icon, iconButton, unseen } from "../dom.js";
import { apart, avatar, tintOf } from "../faces.js";
import { standingReactions } from "../log.js";
import { block } from "../nodes.js";
import { isOnlyEmoji, oneLine, plainNodes, withoutMarks } from "../plain.js";

const GROUP_MS = 5 * 60_000;
const LONG = 3000;

/** What stands above a message: the day, and where the unread ones begin. */
export function marksBefore(message, before, unreadRef) {
  const marks = [];
  if (!before || !isSameDay(before.at, message.at)) {
    marks.push(el("div", { class: "day" }, el("span", {}, dayOf(message.at))));
  }
  if (message.ref === unreadRef) marks.push(el("div", { class: "unread-line", id: "unread-line" }, el("span", {}, "New messages")));
  return marks;
}

/** True where a message goes on from the one before: same person, same few minutes. */
export function goesOn(message, before, unreadRef) {
  if (!before || before.kind === "event" || message.kind === "event" || message.ref === unreadRef) return false;
  if (before.by !== message.by || message.by === "" || message.reply_to) return false;
  return new Date(message.at) - new Date(before.at) < GROUP_MS && isSameDay(before.at, message.at);
}

/** Make a message's list item. `world` is what the page knows: me, assistant, room, log, rating(ref), names. */
export function messageItem(message, before, world) {
  const marks = marksBefore(message, before, world.unreadRef);
  if (message.kind === "event") {
    return el("li", { class: "message event", data: { ref: message.ref }, tabindex: "-1" }, marks, el("p", { class: "happened" }, happened(message)));
  }
  const isOwn = message.by === world.me.id;
  const isAi = message.kind === "sent";
  const grouped = goesOn(message, before, world.unreadRef);
  const classes = ["message", isOwn ? "own" : "other", isAi && "ai", grouped && "grouped", message.withdrawn && "withdrawn", message.purpose === "notice" && "notice"];
  return el("li", { class: classes.filter(Boolean).join(" "), data: { ref: message.ref }, tabindex: "-1" },
    marks,
    el("div", { class: "row" },
      isOwn ? null : grouped ? el("span", { class: "avatar-gap" }) : face(message, world, isAi),
      el("div", { class: "stack" },
        bubble(message, world, { isOwn, isAi, grouped }),
        message.withdrawn ? null : reactions(message, world),
        isAi && !message.withdrawn ? replyTools(message, world) : null),
      message.withdrawn ? null : hoverTools()));
}

/** The speech bubble itself; `state` is shown where the message is not known to have arrived. */
export function bubble(message, world, { isOwn, isAi, grouped, state = null }) {
  return el("div", { class: "bubble" },
    grouped || isOwn ? unseen(`${isOwn ? "You" : nameOf(message, world)}: `) : who(message, world, isAi),
    message.reply_to && !message.withdrawn && showsQuote(message, world) ? quote(message.reply_to, world) : null,
    content(message, world),
    el("div", { class: "meta" },
      isAi && message.purpose !== "notice" && !message.withdrawn ? el("span", { class: "ai-line" }, "AI answer, may be wrong") : null,
      message.edited && !message.withdrawn ? el("span", {}, "edited") : null,
      el("time", { datetime: message.at, title: wholeTime(message.at) }, timeOf(message.at)),
      isOwn && !state ? el("span", { class: "tick" }, icon("check"), unseen("sent")) : null,
      state));
}

export function who(message, world, isAi) {
  return el("div", { class: "who" },
    el("bdi", { class: "name", data: { tint: isAi ? "assistant" : tintOf(message.by, colourOf(message, world)) } }, nameOf(message, world)),
    isAi ? el("span", { class: "badge", title: "Written by a machine" }, "AI") : null);
}

/** A line of what is replied to; pressing it goes there. */
export function quote(ref, world) {
  const message = world.log.get(ref);
  const tint = !message ? "grey" : message.kind === "sent" ? "assistant" : tintOf(message.by, colourOf(message, world));
  return el("button", { type: "button", class: "quote", data: { act: "jump", target: ref, tint } },
    el("bdi", { class: "quote-name" }, message ? (message.by === world.me.id ? "You" : nameOf(message, world)) : "An earlier message"),
    el("span", { class: "quote-text", dir: "auto" }, message ? preview(message) : "Show it"));
}

/** A message on one line. */
export function preview(message) {
  if (message.withdrawn) return "Message deleted";
  if (message.kind === "event") return happened(message);
  return oneLine(message.kind === "sent" ? withoutMarks(message.markdown ?? "") : message.text ?? "");
}

export function nameOf(message, world) {
  return message.kind === "sent" ? world.assistant.name : message.name || "Somebody";
}

function face(message, world, isAi) {
  return avatar({ id: message.by, name: nameOf(message, world), colour: colourOf(message, world), isAssistant: isAi });
}

function colourOf(message, world) {
  return message.colour ?? world.room.members.find((member) => member.id === message.by)?.colour ?? "";
}

/** Between one person and the assistant, what is answered stands right above. */
function showsQuote(message, world) {
  if (world.room.kind !== "direct" || message.kind !== "sent") return true;
  const index = world.log.indexOf(message.ref);
  return index > 0 && world.log.messages[index - 1].ref !== message.reply_to;
}

function content(message, world) {
  if (message.withdrawn) return el("p", { class: "content gone" }, "Message deleted");
  if (message.kind === "sent") return el("div", { class: "content rich" }, (message.blocks ?? []).map((node) => block(node)));
  const text = message.text ?? "";
  // The style sheet keeps the end of the last line free for what stands in its corner.
  const corner = `${message.edited ? "edited " : ""}${timeOf(message.at)} \u2003`;
  const node = el("div", { class: `content plain${isOnlyEmoji(text) ? " jumbo" : ""}`, dir: "auto", data: { corner } });
  if (text.length <= LONG) node.append(...plainNodes(text, world.names));
  else shorten(node, text, world.names);
  return node;
}

/** A very long message shows its beginning until somebody wants the rest. */
function shorten(node, text, names) {
  const all = () => node.replaceChildren(...plainNodes(text, names));
  node.append(...plainNodes(`${text.slice(0, LONG - 500)}…`, names), el("button", { type: "button", class: "link", on: { click: all } }, `Show all ${text.length.toLocaleString()} characters`));
}

function reactions(message, world) {
  const standing = standingReactions(message);
  if (!standing.length) return null;
  return el("div", { class: "reactions" }, standing.map(([emoji, people]) => {
    const isMine = people.some((person) => person.id === world.me.id);
    const names = people.map((person) => (person.id === world.me.id ? "you" : person.name || "somebody")).join(", ");
    return el("button", { type: "button", class: "reaction", "aria-pressed": String(isMine), "aria-label": `${emoji} from ${names}`, title: names, data: { act: "react", emoji } },
      el("span", { "aria-hidden": "true" }, emoji), people.length > 1 ? el("span", { "aria-hidden": "true" }, String(people.length)) : null);
  }));
}

function replyTools(message, world) {
  const rating = world.rating(message.ref);
  const tool = (name, act, label, attributes = {}) => iconButton(name, label, null, { data: { act }, on: {}, ...attributes });
  const isReply = message.purpose === "reply";
  return el("div", { class: "reply-tools" },
    tool("copy", "copy", "Copy the answer"),
    message.answers?.length || message.reply_to ? tool("retry", "retry", "Ask again") : null,
    isReply ? tool("up", "up", "Good answer", { "aria-pressed": String(rating === "up") }) : null,
    isReply ? tool("down", "down", "Bad answer", { "aria-pressed": String(rating === "down") }) : null);
}

function hoverTools() {
  return el("div", { class: "hover-tools" },
    iconButton("smile", "React", null, { data: { act: "emoji" }, on: {}, tabindex: "-1" }),
    iconButton("reply", "Reply", null, { data: { act: "reply" }, on: {}, tabindex: "-1" }),
    iconButton("more", "More", null, { data: { act: "menu" }, on: {}, tabindex: "-1", "aria-haspopup": "menu" }));
}

function happened(entry) {
  const name = apart(entry.name || "Somebody");
  const sentences = {
    created: `${name} created this chat`,
    joined: `${name} joined`,
    left: `${name} left`,
    titled: `${name} named this chat “${apart(entry.title ?? "")}”`,
  };
  return sentences[entry.what] ?? "Something changed here";
}
