// The first page of the server: lets its owner in, adds sites, and shows their numbers move. Which
// site is shown stands in the fragment, so that Back works and a site can be bookmarked.
import { api, base, Refusal, type Knock, type Session, type Site } from "./api";
import { watch, watchNothing } from "./live";
import { showNumber } from "./number";
import { field, inWords, keep, part, say, show, whenPressed, whenSent, write } from "./parts";

const lookAgainMs = 5000;
const setUpMark = "#set-up=";

let session: Session | null = null;
let sites: Site[] = [];
// Answers may come late: after a log-out, or after the answer to what was asked later. These count
// how often one came in or went, and how often the page looked; `seen` is the newest look shown.
let entries = 0;
let looks = 0;
let seen = 0;
// A poll may have been counted before the stream's number that overtook it.
let most = { host: "", hits: 0 };

async function start(): Promise<void> {
  if (location.hash.startsWith(setUpMark)) {
    const token = location.hash.slice(setUpMark.length);
    history.replaceState(null, "", location.pathname);
    await api.useSetUpToken(token).catch((error: unknown) => {
      if (error instanceof Refusal) say(error.message);
    });
  }
  await enter();
}

async function enter(): Promise<void> {
  const entry = ++entries;
  const found = await api.session();
  if (entry !== entries) return;
  session = found;
  const { state, email, warnings } = session;
  show("closed", state === "set_up");
  show("log-in", state === "log_in");
  show("log-out", state === "in" && email !== "");
  show("add", state === "in");
  showBanners(state === "in" ? warnings.split("\n").filter(Boolean) : []);
  if (state === "in") await look();
  else leave();
}

/** Nobody is in: what only they may see goes. */
function leave(): void {
  watchNothing();
  sites = [];
  most = { host: "", hits: 0 };
  for (const name of ["site", "sites", "yours", "knocks"]) show(name, false);
}

function showBanners(warnings: string[]): void {
  show("banners", warnings.length > 0);
  part("banners").replaceChildren(...warnings.map((text) => item(text)));
}

function item(...content: (Node | string)[]): HTMLLIElement {
  const made = document.createElement("li");
  made.append(...content);
  return made;
}

async function look(): Promise<void> {
  const entry = entries;
  const mine = ++looks;
  const [found, knocks] = await Promise.all([api.sites(), api.knocks()]);
  if (entry !== entries || mine < seen) return;
  seen = mine;
  sites = found;
  showSites();
  showKnocks(knocks);
}

function chosen(): Site | undefined {
  const host = hostOf(location.hash.slice(1));
  return sites.find((site) => site.host === host) ?? sites[0];
}

function hostOf(fragment: string): string {
  try {
    return decodeURIComponent(fragment);
  } catch {
    return ""; // Somebody typed it.
  }
}

function showSites(): void {
  const site = chosen();
  show("site", site !== undefined);
  show("sites", sites.length > 1);
  show("yours", site !== undefined && session?.email === "");
  write("add-title", site ? "Count another site" : "Which site do you want to count?");
  part("add").classList.toggle("first-run", !site);
  const items = keep("site-list", sites.map(({ host }) => host), siteItem);
  sites.forEach((each, at) => showSiteItem(items[at], each, each === site));
  if (!site) {
    watchNothing();
    return;
  }
  showSite(site);
  watch(site.host, (hits) => showHits(site.host, hits));
}

function siteItem(host: string): HTMLLIElement {
  const link = document.createElement("a");
  link.href = `#${encodeURIComponent(host)}`;
  link.textContent = host;
  return item(link, hitsBox());
}

function hitsBox(): HTMLSpanElement {
  const hits = document.createElement("span");
  hits.className = "hits";
  return hits;
}

function showSiteItem(place: HTMLElement | undefined, site: Site, isChosen: boolean): void {
  const link = place?.querySelector("a");
  if (link) link.ariaCurrent = isChosen ? "true" : null;
  writeHits(place, inWords(site.hits));
}

function writeHits(place: HTMLElement | undefined, text: string): void {
  const hits = place?.querySelector(".hits");
  if (hits && hits.textContent !== text) hits.textContent = text;
}

function showSite(site: Site): void {
  const root = session?.public_url ? `${session.public_url}/` : base;
  write("site-title", site.host);
  showHits(site.host, site.hits);
  write("snippet", `<script defer src="${root}js/nando.js"></script>`);
  write("element", "<hit-count></hit-count>");
  write("badge", `![hits](${root}badge/${site.host}.svg?of=site)`);
  show("show-it-closed", !site.public_counts);
  show("show-it-open", site.public_counts);
}

/** Of one host the number never goes down while it is shown. */
function showHits(host: string, found: number): void {
  const hits = most.host === host ? Math.max(most.hits, found) : found;
  most = { host, hits };
  showNumber(part("number"), hits);
  const words = hits === 0 ? "page views. Waiting for the first." : "page views, as they come";
  write("words", hits === 1 ? "page view. The first!" : words);
}

function showKnocks(knocks: Knock[]): void {
  show("knocks", knocks.length > 0);
  const items = keep("knock-list", knocks.map(({ host }) => host), knockItem);
  knocks.forEach(({ hits }, at) => {
    writeHits(items[at], ` ${inWords(hits)} ${hits === 1 ? "hit" : "hits"}`);
  });
}

function knockItem(name: string): HTMLLIElement {
  const host = document.createElement("span");
  host.append(name, hitsBox());
  const button = document.createElement("button");
  button.type = "button";
  button.textContent = "Add";
  button.ariaLabel = `Add ${name}`;
  button.addEventListener("click", () => {
    void add(name, false).catch((error: unknown) => {
      if (error instanceof Refusal) say(error.message);
    });
  });
  return item(host, button);
}

async function add(host: string, isPublic: boolean): Promise<void> {
  const site = await api.addSite(host, isPublic);
  history.pushState(null, "", `#${encodeURIComponent(site.host)}`);
  await look();
  say(`${site.host} is counted.`);
  part("site-title").focus();
  scrollTo({ top: 0 });
}

async function setPublic(isPublic: boolean): Promise<void> {
  const site = chosen();
  if (!site) return;
  await api.setPublic(site.host, isPublic);
  await look();
  say(isPublic ? "Everybody may see them." : "They are yours alone.");
}

async function copy(): Promise<void> {
  const text = part("snippet").textContent ?? "";
  if (navigator.clipboard) {
    await navigator.clipboard.writeText(text);
  } else {
    getSelection()?.selectAllChildren(part("snippet"));
    document.execCommand("copy"); // Plain http has no clipboard.
  }
  part("copy").textContent = "Copied";
  say("Copied.");
  setTimeout(() => (part("copy").textContent = "Copy"), 2000);
}

whenSent("log-in-form", async (form) => {
  await api.logIn(field(form, "email"), field(form, "password"));
  form.reset();
  await enter();
});
whenSent("yours-form", async (form) => {
  await api.makeOwner(field(form, "email"), field(form, "password"));
  form.reset();
  await enter();
  say("It is yours.");
});
whenSent("add-form", async (form) => {
  await add(field(form, "host").trim(), part<HTMLInputElement>("public").checked);
  form.reset();
});
whenPressed("log-out", async () => {
  await api.logOut();
  await enter();
});
whenPressed("test", async () => {
  const site = chosen();
  if (!site) return;
  const { site: number } = await api.testHit(site.host);
  say(`Counted, and kept: number ${inWords(number)}.`);
});
whenPressed("copy", copy);
whenPressed("open", () => setPublic(true));
whenPressed("close", () => setPublic(false));
addEventListener("hashchange", () => {
  if (session?.state === "in") showSites();
});
setInterval(() => {
  if (session?.state !== "in" || document.hidden) return;
  look().catch((error: unknown) => {
    if (error instanceof Refusal && error.word === "log_in_needed") void enter();
  });
}, lookAgainMs);

start().catch((error: unknown) => say(error instanceof Error ? error.message : String(error)));
