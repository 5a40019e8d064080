// The page of the seed, plainly: it counts itself and shows the number. For trying out, so it is
// served only on loopback or where the operator says so. What it asks is named relative to it, so
// that it works below the path of public_url; without script a pixel counts it.
import "../../elements/hit-count";

/** What POST /nandolytics/record answers: a number, less of a closed site, or what was wrong. */
interface Answer {
  siteHits?: string;
  receipt?: string;
  duplicate?: boolean;
  message?: string;
}

const page = location.origin + location.pathname;
const base = new URL(".", page).href;
let id = newId();

/** Not crypto.randomUUID(): that one is missing on plain http. */
function newId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

function part(name: string): HTMLElement {
  const found = document.getElementById(name);
  if (!found) throw new Error(`this page has no #${name}`);
  return found;
}

function show(number: string, text: string, receipt?: string) {
  part("number").textContent = number;
  part("number").classList.toggle("long", number.length > 6);
  part("text").textContent = text;
  if (receipt) part("receipt").textContent = receipt;
}

function showHit(hit: Answer, fresh: string) {
  if (hit.siteHits === undefined) {
    show("\u2713", "Counted. This site keeps its numbers to itself.");
    return;
  }
  const number = Number(hit.siteHits).toLocaleString(document.documentElement.lang);
  const twice = "Asked again, counted once: the same number, the same receipt.";
  show(number, hit.duplicate ? twice : fresh, hit.receipt);
  part("so-far").hidden = false;
}

async function count(fresh: string) {
  const buttons = document.querySelectorAll("button");
  for (const button of buttons) button.ariaDisabled = "true";
  try {
    const answer = await fetch(`${base}nandolytics/record`, {
      method: "POST",
      headers: { "Content-Type": "text/plain" },
      body: JSON.stringify({ siteUrl: page, id }),
    });
    const hit = (await answer.json()) as Answer;
    if (answer.ok) showHit(hit, fresh);
    else show("\u2013", `Not counted: ${hit.message}.`);
  } catch {
    show("\u2013", "The server does not answer. Ask again: with the same id it is safe.");
  }
  for (const button of buttons) button.ariaDisabled = null;
}

/** Disabled for assistive technology only: the button keeps the focus while it waits. */
function when(name: string, act: () => void) {
  const button = part(name);
  button.addEventListener("click", () => {
    if (button.ariaDisabled !== "true") act();
  });
}

const another = "A new id, so another visit.";
when("again", () => void count(another));
when("next", () => {
  id = newId();
  void count(another);
});

part("shell").textContent = `curl -d '{"siteUrl": "${page}"}' ${base}nandolytics/record
curl '${base}api/v1/counts?url=${page}'`;
void count("Counted once, and kept.");
