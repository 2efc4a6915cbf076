// A reply that is under way: thinking, in line, warming up, then growing.

import { el, icon } from "../dom.js";
import { avatar } from "../faces.js";
import { showBlocks } from "../nodes_patch.js";
import { quote, who } from "./message.js";

export class LiveReply {
  #shown = [];

  constructor(reply, world, stop) {
    this.status = el("p", { class: "status" }, dots(), el("span", { class: "status-text" }));
    this.share = el("progress", { class: "share", max: "1", hidden: true, "aria-label": "How far the engine has come" });
    this.content = el("div", { class: "content rich" });
    this.stop = el("button", { type: "button", class: "stop", on: { click: stop } }, icon("stop"), "Stop");
    const name = who({ kind: "sent", by: "" }, world, true);
    const isRightAbove = world.room.kind === "direct" && world.log.newest?.ref === reply.reply_to;
    const asked = reply.reply_to && !isRightAbove ? quote(reply.reply_to, world) : null;
    this.element = el("li", { class: "message other ai live", data: { turn: reply.turn }, tabindex: "-1", "aria-busy": "true" },
      el("div", { class: "row" },
        avatar({ id: "", name: world.assistant.name, isAssistant: true }),
        el("div", { class: "stack" },
          el("div", { class: "bubble" }, name, asked, this.content, this.status, this.share),
          el("div", { class: "reply-tools" }, this.stop))));
  }

  update(reply, engine) {
    this.element.dataset.phase = reply.phase;
    const isOver = reply.phase === "ended";
    if (this.#shown !== reply.blocks) showBlocks(this.content, this.#shown, reply.blocks);
    this.#shown = reply.blocks;
    this.#moveCaret();
    this.content.hidden = !reply.blocks.length;
    this.status.hidden = reply.blocks.length > 0 || isOver;
    this.status.lastChild.textContent = sentence(reply, engine);
    const isKnown = reply.phase === "warming" && typeof engine.share === "number";
    this.share.hidden = !isKnown;
    if (isKnown) this.share.value = engine.share;
    this.stop.hidden = isOver;
  }

  /** Where the next word will stand. */
  #moveCaret() {
    this.content.querySelector(".growing")?.classList.remove("growing");
    let last = this.content.lastElementChild;
    while (last && HOLDING.has(last.tagName) && last.lastElementChild) last = last.lastElementChild;
    last?.classList.add("growing");
  }
}

const HOLDING = new Set(["UL", "OL", "LI", "BLOCKQUOTE"]);

function sentence(reply, engine) {
  if (reply.phase === "waiting") {
    if (typeof reply.ahead !== "number") return "Thinking";
    return reply.ahead ? `In line, ${reply.ahead} ahead` : "Next in line";
  }
  if (reply.phase === "warming") return `Getting ready: ${reply.text || engine.text || "the engine is starting"}`;
  return "Thinking";
}

function dots() {
  return el("span", { class: "dots", "aria-hidden": "true" }, el("i"), el("i"), el("i"));
}
