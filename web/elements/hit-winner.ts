// The button that asks whether this visit has won. nando.js loads this where a page has the tag,
// and waits for it, so that the hash of the page's secret is in the hit; docs/reference/tracker.md
// is its manual, web/build.mjs holds it to its size. It asks and shows; only the tracker counts.
import { celebrate } from "./celebrate";
import css from "./hit-winner.css?inline";
import { languageOf } from "./languages";
import { linkOf, type Ticket, ticketIn, ticketOpened } from "./tickets";
import { type TextName, texts } from "./texts";
import { follow, view, watchers } from "./views";
import type { Waiting } from "../shared/hit";

const server = new URL(/* @vite-ignore */ "..", import.meta.url).href;
const sheet = new CSSStyleSheet();
sheet.replaceSync(css);

/** What POST /api/v1/claims answers. */
interface Answer {
  won: boolean | null;
  promotion?: string;
  hit: number;
  entry?: number;
  reason?: "not_drawn" | "lapsed" | "no_stock" | "no_entry" | "pending";
  known_at?: string | null;
  prize?: { kind: "text" | "link" | "code"; says: string; code?: string };
  error?: string;
}

type State =
  | "waiting" | "ready" | "asking" | "won" | "lost" | "pending" | "no_entry" | "lapsed"
  | "no_stock" | "unknown" | "refused" | "error";

function make<Name extends keyof HTMLElementTagNameMap>(
  name: Name,
  part: string,
  ...children: (Node | string)[]
): HTMLElementTagNameMap[Name] {
  const made = document.createElement(name);
  made.setAttribute("part", part);
  made.append(...children);
  return made;
}

/** `<hit-winner promotion>`: did this visit win? */
class HitWinner extends HTMLElement {
  /** One that was kept and is here again: then it is what the button asks about. */
  #ticket: Ticket | undefined;
  #asked: Omit<Ticket, "promotion"> | undefined;
  #answer: Answer | undefined;
  /** Whether leaving the page would lose what the visitor has, and has nowhere else. */
  #atStake = false;
  #state: State = "waiting";

  readonly #button = make("button", "button");
  readonly #says = make("div", "answer");
  readonly #more = make("div", "more");
  readonly #note = make("div", "note");
  readonly #sky = make("div", "sky");

  constructor() {
    super();
    const label = document.createElement("slot");
    const own = this.#say("ask");
    label.onslotchange = () => {
      own.hidden = label.assignedNodes().some((node) => node.textContent?.trim());
    };
    this.#button.type = "button";
    this.#button.append(label, own);
    this.#button.onclick = () => void this.#ask();
    this.#says.role = this.#note.role = "status";
    this.ondragover = (event) => event.preventDefault();
    this.ondrop = (event) => {
      event.preventDefault();
      void this.#open(event.dataTransfer?.files[0]);
    };
    const shadow = this.attachShadow({ mode: "open" });
    shadow.adoptedStyleSheets = [sheet];
    shadow.append(this.#button, this.#says, this.#more, this.#note, this.#sky);
  }

  connectedCallback() {
    watchers.add(this);
    this.#hold(this.#atStake);
    this.renew();
  }

  disconnectedCallback() {
    watchers.delete(this);
    removeEventListener("beforeunload", this.#warn);
  }

  /** Another view, or word of its hit. A prize, and a ticket that is not kept yet, stay. */
  renew() {
    const stays = this.#ticket || this.#state === "asking" || this.#state === "won";
    if (stays || this.#atStake || (view && view === this.#asked)) return;
    const receipt = view?.receipt;
    this.#show(receipt ? "ready" : receipt === undefined ? "waiting" : "unknown");
  }

  /** Asks about a ticket that was kept. */
  use(ticket: Ticket | undefined) {
    this.#ticket = ticket;
    if (ticket) void this.#ask();
    else this.#show("refused");
  }

  async #open(file: File | undefined) {
    if (!file) return;
    this.use(ticketIn(await file.text()));
    this.#button.focus();
  }

  async #ask() {
    const asked = this.#ticket ?? view;
    if (!asked?.receipt || this.#state === "asking") return;
    const { receipt, secret } = asked;
    this.#asked = asked as Ticket;
    this.#show("asking");
    try {
      const answer = await fetch(`${server}api/v1/claims`, {
        method: "POST",
        body: JSON.stringify({ receipt, secret }),
        credentials: "omit",
      });
      const said: Answer = await answer.json();
      if (answer.ok) this.#take(said);
      else if (answer.status >= 429) this.#show("error");
      else {
        this.#ticket = undefined;
        this.#show(said.error === "no_secret" ? "unknown" : "refused");
      }
    } catch {
      this.#show("error");
    }
  }

  #take(answer: Answer) {
    const { won, reason, prize } = answer;
    this.#answer = answer;
    const lost = reason && reason !== "not_drawn" && reason !== "pending" ? reason : "lost";
    const kept = this.#ticket || prize?.kind === "text";
    this.#hold(won !== false && !kept);
    this.#show(won ? "won" : won === null ? "pending" : lost);
    if (won) celebrate(this.#button, this.#sky);
    this.dispatchEvent(new CustomEvent("hit-winner", { detail: answer, bubbles: true }));
  }

  // While nothing is at stake there is no listener: it would keep a page out of the browser's
  // back-forward cache.
  #hold(atStake: boolean) {
    this.#atStake = atStake;
    (atStake ? addEventListener : removeEventListener)("beforeunload", this.#warn);
  }

  readonly #warn = (event: BeforeUnloadEvent) => {
    event.preventDefault();
    event.returnValue = true;
  };

  #show(state: State) {
    this.#state = state;
    this.setAttribute("state", state);
    const busy = state === "waiting" || state === "asking";
    this.#button.ariaDisabled = String(busy);
    this.#button.hidden = !this.#ticket && view?.receipt === "";
    this.#note.textContent = "";
    const undated = state === "pending" && !this.#answer?.known_at;
    const said = undated ? "undated" : state;
    this.#says.replaceChildren();
    if (said !== "ready") this.#says.append(make("p", `text ${state}`, this.#say(said)));
    if (state === "won") this.#says.append(this.#prize());
    this.#more.replaceChildren(this.#next());
  }

  /** What the visitor can do now. */
  #next(): Node {
    const state = this.#state;
    const next = new DocumentFragment();
    if (state === "won" || state === "pending") next.append(this.#keeper());
    else if (state !== "waiting" && state !== "asking") next.append(this.#opener());
    return next;
  }

  #prize(): HTMLElement {
    const { kind, says, code } = this.#answer!.prize!;
    const prize = make("div", "prize");
    if (kind === "link" && /^https?:/i.test(says)) {
      const link = make("a", "link", this.#say("link"));
      link.href = says;
      link.onclick = () => this.#hold(false);
      prize.append(link);
      return prize;
    }
    const words = make("p", "says", says);
    words.id = "says";
    prize.append(words);
    if (code) prize.append(this.#field("code", code, words, "copy"));
    return prize;
  }

  /** Text to be copied: by its button, or as it stands. */
  #field(part: string, value: string, label: HTMLElement, copy: TextName): HTMLElement {
    const input = make("input", part);
    input.value = value;
    input.readOnly = true;
    input.setAttribute("aria-labelledby", label.id);
    input.onfocus = () => input.select();
    input.oncopy = () => this.#copied();
    const button = make("button", "copy", this.#say(copy));
    button.onclick = async () => {
      try {
        await navigator.clipboard.writeText(value);
        this.#copied();
      } catch {
        // On plain http there is no clipboard but this; it is told as any other copying.
        input.focus();
        document.execCommand("copy");
      }
    };
    return make("div", "field", input, button);
  }

  #copied() {
    this.#hold(false);
    this.#note.replaceChildren(this.#say("copied"));
  }

  #keeper(): HTMLElement {
    const button = make("button", "keep", this.#say("keep"));
    button.onclick = () => {
      const keeping = make("p", "text keeping", this.#say("keeping"));
      keeping.id = "keeping";
      const promotion = this.#answer?.promotion ?? this.getAttribute("promotion") ?? "";
      const link = linkOf({ ...this.#asked!, promotion });
      const field = this.#field("ticket-link", link, keeping, "copy_link");
      const file = make("a", "download", this.#say("download"));
      file.href = `data:text/plain,${encodeURIComponent(`${link}\n`)}`;
      file.download = `ticket-${promotion}.txt`;
      file.onclick = () => this.#hold(false);
      button.replaceWith(make("div", "ticket", keeping, field, file));
      field.querySelector("input")!.focus();
    };
    return button;
  }

  #opener(): HTMLElement {
    const input = make("input", "file");
    input.type = "file";
    input.accept = "text/plain";
    input.onchange = () => void this.#open(input.files?.[0]);
    return make("label", "use", this.#say("use"), input);
  }

  /** One of its texts, in the words of the page if it has some. */
  #say(name: TextName): HTMLSlotElement {
    const { hit = 0, entry = 0, known_at: known } = this.#answer ?? {};
    const language = languageOf(this);
    const style = { dateStyle: "long", timeStyle: "short" } as const;
    const values: Record<string, string> = {
      hit: hit.toLocaleString(language),
      entry: entry.toLocaleString(language),
      date: known ? new Date(known).toLocaleString(language, style) : "",
    };
    const slot = document.createElement("slot");
    const own = this.getAttribute(name);
    slot.name = name;
    if (own === null) slot.lang = "en";
    slot.textContent = (own ?? texts[name]).replace(/\{(\w+)\}/g, (_, key) => values[key] ?? "");
    for (const [key, value] of Object.entries(values)) {
      const places = `[slot="${name}"] [data-${key}]`;
      for (const place of this.querySelectorAll(places)) place.textContent = value;
    }
    return slot;
  }
}

/** Gives the ticket in the page's address, if there is one, to the element it is for. */
function openTicket() {
  const ticket = ticketOpened();
  if (!ticket) return;
  const named = document.querySelector<HitWinner>(`hit-winner[promotion="${ticket.promotion}"]`);
  (named ?? document.querySelector<HitWinner>("hit-winner"))?.use(ticket);
}

if (!customElements.get("hit-winner")) {
  const waiting = (document as unknown as Record<string, Waiting | undefined>)[server];
  if (waiting) follow(waiting);
  customElements.define("hit-winner", HitWinner);
  openTicket();
  addEventListener("hashchange", openTicket);
}
