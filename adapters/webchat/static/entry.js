// Coming in: a name, a colour, and for some an invitation.

import { tooLong } from "./limit.js";

const form = document.getElementById("enter");
const problem = document.getElementById("enter-problem");

function say(text) {
  problem.textContent = text;
  problem.hidden = !text;
}

async function enter(event) {
  event.preventDefault();
  const data = Object.fromEntries(new FormData(form));
  const name = data.name.trim();
  if (!name) return refuse("Please tell the others your name.");
  const limit = Number(document.body.dataset.nameLimit);
  if (tooLong(name, limit)) return refuse(`That name is too long: at most ${limit} characters.`);
  const button = form.querySelector("button");
  button.disabled = true;
  say("");
  try {
    const answer = await fetch("/enter", {
      method: "POST", credentials: "same-origin", headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ name, colour: data.colour, ...(data.code ? { code: data.code } : {}) }),
    });
    const told = await answer.json().catch(() => ({}));
    if (answer.ok) return arrive();
    refuse(told.error?.text ?? "That did not work. Please try again in a moment.");
  } catch {
    refuse("The server cannot be reached just now. Please try again in a moment.");
  } finally {
    button.disabled = false;
  }
}

/** Load the page anew, as somebody who is in; it opens where the invitation led. */
function arrive() {
  sessionStorage.setItem("aside.arriving", "1");
  history.replaceState(null, "", "/");
  location.reload();
}

function refuse(text) {
  say(text);
  form.elements.name.setAttribute("aria-invalid", "true");
  form.elements.name.focus();
}

if (form) {
  const colours = form.elements.colour;
  colours[Math.floor(Math.random() * colours.length)].checked = true;
  form.addEventListener("submit", enter);
}
