// The page of the seed, plainly: it counts itself, shows the number, and says whether this visit is
// a winner. For trying out, so it is
// served only on loopback or where the operator says so. What it asks is named relative to it, so
// that it works below the path of public_url; without script a pixel counts it.
import "../../elements/hit-count";
import "../../elements/hit-winner";
import { begin } from "../../elements/views";

/** What POST /nandolytics/record answers: a number, less of a closed site, or what was wrong. */
interface Answer {
  siteHits?: string;
  receipt?: string;
  duplicate?: boolean;
  message?: string;
}

const page = location.origin + location.pathname;
const base = new URL(".", page).href;
let visit = newVisit();

/** What is sent of a visit, and who is to be told its receipt. */
function newVisit() {
  const hit = { siteUrl: page, id: newId(), secret_hash: "" };
  return { hit, tell: begin(hit) };
}

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
  part("draw").hidden ||= !receipt;
  if (receipt) part("receipt").textContent = receipt;
}

/** The promotion of this page's button, which opens when it is first asked for. */
async function openDraw() {
  try {
    const answer = await fetch(`${base}api/v1/try`, { method: "POST" });
    if (!answer.ok) return;
    const { promotion } = (await answer.json()) as { promotion: string };
    const proof = `${base}api/v1/promotions/${promotion}`;
    const { rules } = (await (await fetch(proof)).json()) as { rules: string };
    const rule = (name: string) => Number(new RegExp(`^${name}=(\\d+)$`, "m").exec(rules)?.[1]);
    part("proof").setAttribute("href", proof);
    const winners = rule("winners");
    const wins = winners === 1 ? "one is drawn" : `${winners} are drawn`;
    part("odds").textContent = `Of every ${rule("window_entries")} visits ${wins}.`;
    part("winner").dataset["promotion"] = promotion;
  } catch {
    // A page without a draw.
  }
}

/** A new button: what the last visit won is not this one's. */
function showDraw() {
  const { promotion } = part("winner").dataset;
  part("draw").hidden = part("fair").hidden = promotion === undefined;
  if (promotion === undefined) return;
  const winner = document.createElement("hit-winner");
  winner.setAttribute("promotion", promotion);
  winner.append("Am I a winner?");
  part("winner").replaceChildren(winner);
}

function showHit(hit: Answer, fresh: string) {
  if (hit.siteHits === undefined) {
    show("\u2713", "Counted. This site keeps its numbers to itself.");
    return;
  }
  const number = Number(hit.siteHits).toLocaleString(document.documentElement.lang);
  const twice = "Asked again, counted once: the same number, the same receipt.";
  show(number, hit.duplicate ? twice : fresh, hit.receipt);
  // Not before: where nothing was counted there may be no site to ask about.
  if (part("so-far").hidden) part("total").replaceChildren(document.createElement("hit-count"));
  part("so-far").hidden = false;
}

async function count(fresh: string) {
  const buttons = document.querySelectorAll("button");
  for (const button of buttons) button.ariaDisabled = "true";
  try {
    const answer = await fetch(`${base}nandolytics/record`, {
      method: "POST",
      headers: { "Content-Type": "text/plain" },
      body: JSON.stringify(visit.hit),
    });
    const hit = (await answer.json()) as Answer;
    visit.tell(hit.receipt ?? "");
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
  visit = newVisit();
  showDraw();
  void count(another);
});

part("shell").textContent = `curl -d '{"siteUrl": "${page}"}' ${base}nandolytics/record
curl '${base}api/v1/counts?url=${page}'`;
await openDraw();
showDraw();
void count("Counted once, and kept.");
