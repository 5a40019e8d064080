// The elements: they show, and count nothing. nando.js loads this where a page has their tags;
// docs/reference/tracker.md is their manual, web/build.mjs holds them to their size.
import { pageUrl } from "../shared/page";
import { languageOf } from "./languages";
import { Numbers, type Watcher } from "./numbers";

const tracker = document.querySelector<HTMLElement>('script[src*="/js/nando.js"]');

/** `<hit-count url of live>`: the number of hits of this page, or of `url`. */
class HitCount extends HTMLElement implements Watcher {
  static readonly observedAttributes = ["url", "of", "live"];

  live = false;
  #numbers: Numbers | undefined;
  readonly #slot = document.createElement("slot");
  readonly #part = document.createElement("span");

  constructor() {
    super();
    this.#part.part.add("number");
    this.#part.append(this.#slot);
    this.attachShadow({ mode: "open" }).append(this.#part);
  }

  connectedCallback() {
    const live = this.getAttribute("live");
    this.live = live === null ? !this.hasAttribute("url") : live !== "off";
    const numbers = this.#wanted();
    if (numbers !== this.#numbers) {
      this.disconnectedCallback();
      this.#part.replaceChildren(this.#slot);
    }
    this.#numbers = numbers;
    numbers?.watchers.add(this);
    this.render();
    numbers?.refresh();
  }

  #wanted(): Numbers | undefined {
    const url = this.getAttribute("url");
    if (url === null) return Numbers.of(pageUrl(tracker ?? this));
    try {
      return Numbers.of(new URL(url, location.href).href);
    } catch {
      return undefined; // No URL: what the page wrote into the element stays.
    }
  }

  disconnectedCallback() {
    this.#numbers?.watchers.delete(this);
    this.#numbers?.refresh();
  }

  attributeChangedCallback() {
    if (this.isConnected) this.connectedCallback();
  }

  render() {
    const number = this.#numbers?.[this.getAttribute("of") === "site" ? "site" : "page"] ?? -1;
    const text = number < 0 ? "" : number.toLocaleString(languageOf(this));
    if (!text || text === this.#part.textContent) return;
    this.#part.textContent = text;
    this.dispatchEvent(new CustomEvent("hit-count", { detail: number, bubbles: true }));
  }
}

const refreshAll = () => {
  for (const numbers of Numbers.all.values()) numbers.refresh();
};

if (!customElements.get("hit-count")) {
  customElements.define("hit-count", HitCount);
  addEventListener("visibilitychange", refreshAll, true);
  addEventListener("pageshow", refreshAll);
  addEventListener("pagehide", () => {
    for (const numbers of Numbers.all.values()) numbers.rest();
  });
  // The tracker's word that a hit of this page was counted; its address may be another since.
  addEventListener("hits", () => {
    for (const each of document.querySelectorAll<HitCount>("hit-count")) each.connectedCallback();
  });
}
