// The first page of the server: lets its owner in, adds sites, and shows their numbers move. Which
// site is shown stands in the fragment, so that Back works and a site can be bookmarked.
import { api, base, Refusal, type Knock, type Session, type Site } from "./api";
import { watch, watchNothing } from "./live";
import { showNumber } from "./number";
import { field, inWords, part, say, show, whenPressed, whenSent } from "./parts";

const lookAgainMs = 5000;
const setUpMark = "#set-up=";

let session: Session | null = null;
let sites: Site[] = [];

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
  session = await api.session();
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
  const [found, knocks] = await Promise.all([api.sites(), api.knocks()]);
  sites = found;
  showSites();
  showKnocks(knocks);
}

function chosen(): Site | undefined {
  const host = decodeURIComponent(location.hash.slice(1));
  return sites.find((site) => site.host === host) ?? sites[0];
}

function showSites(): void {
  const site = chosen();
  show("site", site !== undefined);
  show("sites", sites.length > 1);
  show("yours", site !== undefined && session?.email === "");
  part("add-title").textContent = site ? "Count another site" : "Which site do you want to count?";
  part("add").classList.toggle("first-run", !site);
  part("site-list").replaceChildren(...sites.map((each) => siteItem(each, each === site)));
  if (!site) {
    watchNothing();
    return;
  }
  showSite(site);
  watch(site.host, (hits) => showHits(hits));
}

function siteItem(site: Site, isChosen: boolean): HTMLLIElement {
  const link = document.createElement("a");
  link.href = `#${encodeURIComponent(site.host)}`;
  link.textContent = site.host;
  if (isChosen) link.ariaCurrent = "true";
  const hits = document.createElement("span");
  hits.className = "hits";
  hits.textContent = inWords(site.hits);
  return item(link, hits);
}

function showSite(site: Site): void {
  const root = session?.public_url ? `${session.public_url}/` : base;
  part("site-title").textContent = site.host;
  showHits(site.hits);
  part("snippet").textContent = `<script defer src="${root}js/nando.js"></script>`;
  part("element").textContent = "<hit-count></hit-count>";
  part("badge").textContent = `![hits](${root}badge/${site.host}.svg?of=site)`;
  show("show-it-closed", !site.public_counts);
  show("show-it-open", site.public_counts);
}

function showHits(hits: number): void {
  showNumber(part("number"), hits);
  const words = hits === 0 ? "page views. Waiting for the first." : "page views, as they come";
  part("words").textContent = hits === 1 ? "page view. The first!" : words;
}

function showKnocks(knocks: Knock[]): void {
  show("knocks", knocks.length > 0);
  part("knock-list").replaceChildren(...knocks.map(knockItem));
}

function knockItem(knock: Knock): HTMLLIElement {
  const host = document.createElement("span");
  host.textContent = knock.host;
  const hits = document.createElement("span");
  hits.className = "hits";
  hits.textContent = ` ${inWords(knock.hits)} ${knock.hits === 1 ? "hit" : "hits"}`;
  host.append(hits);
  const button = document.createElement("button");
  button.type = "button";
  button.textContent = "Add";
  button.ariaLabel = `Add ${knock.host}`;
  button.addEventListener("click", () => {
    void add(knock.host, false).catch((error: unknown) => {
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
