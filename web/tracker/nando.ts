// The tracker: counts the views of the page that includes it, each once. It stores nothing, reads
// nothing that tells one browser from another, and defines no name that a page could meet.
// docs/reference/tracker.md is its manual; web/build.mjs holds it to its size. Its functions stand
// in the order that is packed best.
import type { Hit, Waiting } from "../shared/hit";
import { pageUrl } from "../shared/page";

const page = document as Document & { prerendering?: boolean; [mark: string]: unknown };
const here = page.currentScript as HTMLScriptElement;
// Where the server is, also below a path. Whole, since a script of another origin has no address of
// its own that import() would begin from. It is only ever used as text, and as such it is one.
const server = new URL("..", here.src) as unknown as string;

// Each hit has its id for good, so that however often it is sent it is counted once. At most 99.
const waiting: Waiting = new Set<Hit>();
let timer: ReturnType<typeof setTimeout>;
let last = page.referrer;

// Where the path or the query changed; the hash alone only where it is part of the page.
const viewIfNew = () => {
  if (pageUrl(here) != last) view();
};

const view = () => {
  const hit = {
    referrer: last,
    url: (last = pageUrl(here)),
    id: `${crypto.getRandomValues(new Uint32Array(4))}`,
  };
  if (waiting.size < 99 && waiting.add(hit).size < 2) send();
};

const start = () => {
  (["pushState", "replaceState"] as const).map((name) => {
    const original = history[name];
    history[name] = (...state) => {
      original.apply(history, state);
      if (name < "q") viewIfNew();
      else last = pageUrl(here);
    };
  });
  addEventListener("online", () => send());
  addEventListener("pagehide", () => waiting.forEach(post));
  addEventListener("pageshow", (event) =>
    event.persisted ? view() : load("hit-winner", load("hit-count")),
  );
  // Of a new hash too: browsers tell it here before they tell it as hashchange.
  addEventListener("popstate", viewIfNew);
  view();
};

// One at a time, and again after a while unless an answer comes first: whether it was refused, lost
// or never answered is all the same. Each wait is the last to the power of 0.9, times 3 to 4: half
// as long again at first, and later ever less, since 17 minutes is where that stands still.
// <hit-winner> has until the second time to add its secret's hash; if the page goes before that,
// the hit goes without.
const send = async (waitMs = 2e3) => {
  const [hit] = waiting;
  clearTimeout(timer);
  if (hit) {
    timer = setTimeout(send, waitMs, waitMs ** 0.9 * (3 + Math.random()));
    if (waitMs == 2e3) await load("hit-winner", load("hit-count"));
    post(hit);
  }
};

// Not sendBeacon, also when the page goes: that one cannot be kept from sending cookies. A body of
// text is text/plain, which spares the browser a preflight. Nothing that fails here, in whatever
// way, reaches the page.
const post = async (hit: Hit) => {
  try {
    const answer = await fetch(server + "api/v1/hits", {
      credentials: "omit",
      keepalive: true,
      method: "POST",
      body: JSON.stringify(hit),
    });
    // From 429 on it may be asked again later, but for 507: that was counted on another page. A hit
    // that was sent twice is answered twice.
    if ((answer.status == 507 || answer.status < 429) && waiting.delete(hit, answer)) {
      dispatchEvent(new Event("hits"));
      send();
    }
  } catch {}
};

// Imported, a script is run once however often it is asked for. Of two that are asked for in one
// call the second is only begun, before the first, and not waited for.
const load = async (tag: string, _begun?: unknown) => {
  try {
    if (page.querySelector(tag)) await import(/* @vite-ignore */ server + `js/${tag}-${HASH}.js`);
  } catch {}
};

// Included twice, it counts once. The mark has the server's name, so that the tracker of another
// server has one of its own.
if (!page[server]) {
  page[server] = waiting;
  page.addEventListener("prerenderingchange", start);
  if (!page.prerendering) start();
}
