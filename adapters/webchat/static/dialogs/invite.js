// Invitation links: how many people one admits and until when, copying one, taking one back.

import { toast } from "../announce.js";
import { copyText } from "../clipboard.js";
import { untilOf } from "../clock.js";
import { el, fill, icon } from "../dom.js";
import { dialogForm, field, openDialog } from "./dialog.js";

const USES = [["", "Everybody who has the link"], ["1", "One person"], ["5", "Five people"], ["25", "25 people"]];
const HOURS = [["24", "One day"], ["1", "One hour"], ["168", "One week"], ["720", "30 days"], ["", "Until it is taken back"]];

/** Show the dialog of a room's invitations. */
export function inviteDialog(chat, room) {
  return openDialog("Invite people", (body) => {
    const fresh = el("div", { class: "fresh-link", hidden: true });
    const standing = el("ul", { class: "links", "aria-label": "Links that admit people now" });
    const form = dialogForm([field("The link admits", choice("uses", USES)), field("It works for", choice("hours", HOURS))], "Make a link", async (data) => {
      const made = await chat.ask("invite", { room: room.id, uses: number(data.get("uses")), hours: number(data.get("hours")) });
      showLink(fresh, made.url);
      await showStanding(chat, room, standing);
    });
    body.append(el("p", { class: "dialog-lead" }, "Whoever opens the link comes into ", el("bdi", { class: "strong" }, room.title), " and can read what was said here."), form, fresh, standing);
    showStanding(chat, room, standing);
  });
}

function showLink(fresh, url) {
  const input = el("input", { type: "text", readonly: true, value: url, "aria-label": "The invitation link", dir: "ltr", on: { focus: () => input.select() } });
  const label = el("span", {}, "Copy the link");
  const copy = async () => {
    label.textContent = (await copyText(url)) ? "Copied" : "Select and copy it";
    setTimeout(() => { label.textContent = "Copy the link"; }, 2500);
  };
  const button = el("button", { type: "button", class: "primary", on: { click: copy } }, icon("copy"), label);
  fill(fresh, input, button, el("small", {}, "It is shown only now: copy it before you close this."));
  fresh.hidden = false;
  button.focus();
}

async function showStanding(chat, room, list) {
  const { invitations } = await chat.ask("invitations", { room: room.id }).catch(() => ({ invitations: [] }));
  fill(list, (invitations ?? []).map((invitation) => standingLink(chat, room, list, invitation)));
}

function standingLink(chat, room, list, invitation) {
  const left = invitation.uses ? `${invitation.used ?? 0} of ${invitation.uses} used` : `used ${invitation.used ?? 0} times`;
  const until = invitation.expires_at ? `ends ${untilOf(invitation.expires_at)}` : "does not end";
  const revoke = async () => {
    if (!(await chat.attempt("revoke", { room: room.id, invitation: invitation.id }))) return;
    toast("The link admits nobody any more.");
    await showStanding(chat, room, list);
  };
  return el("li", {}, icon("invite"), el("span", {}, `${left}, ${until}`),
    el("button", { type: "button", class: "link danger", on: { click: revoke } }, "Take back"));
}

function choice(name, options) {
  return el("select", { name }, options.map(([value, label]) => el("option", { value }, label)));
}

function number(text) {
  return text ? Number(text) : undefined;
}
