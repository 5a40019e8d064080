// The tracker: counts the views of the page that includes it, each once. It stores nothing, reads
// nothing that tells one browser from another, and defines no name that a page could meet.
// docs/reference/tracker.md is its manual; web/build.mjs holds it to its size.
import { pageUrl } from "../shared/page";

const page = document as Document & { prerendering?: boolean; [mark: string]: unknown };
const here = page.currentScript as HTMLScriptElement;
// Where the server is, also below a path. Whole, since a script of another origin has no address of
// its own that import() would begin from.
const server = new URL("..", here.src).href;

// Hits that are not known to be counted, oldest first. Each has its id for good, so that however
// often it is sent it is counted once. At most 99.
const waiting = new Set<string>();
let timer: ReturnType<typeof setTimeout>;
let last = page.referrer;

// Not sendBeacon, also when the page goes: that one cannot be kept from sending cookies. A body of
// text is text/plain, which spares the browser a preflight. Nothing that fails here, in whatever
// way, reaches the page.
const post = async (body: string) => {
  try {
    const { status } = await fetch(server + "api/v1/hits", {
      method: "POST",
      body,
      keepalive: true,
      credentials: "omit",
    });
    // From 429 on it may be asked again later, but for 507: that was counted on another page. A hit
    // that was sent twice is answered twice.
    if ((status < 429 || status == 507) && waiting.delete(body)) {
      send();
      dispatchEvent(new Event("hits"));
    }
  } catch {}
};

// One at a time, and again after a while unless an answer comes first: whether it was refused, lost
// or never answered is all the same. Each wait is the last to the power of 0.9, times 3 to 4: half
// as long again at first, and later ever less, since 17 minutes is where that stands still.
const send = (waitMs = 2e3) => {
  const [body] = waiting;
  clearTimeout(timer);
  if (body) {
    timer = setTimeout(send, waitMs, waitMs ** 0.9 * (3 + Math.random()));
    void post(body);
  }
};

const view = () => {
  const id = `${crypto.getRandomValues(new Uint32Array(4))}`;
  const hit = { id, referrer: last, url: (last = pageUrl(here)) };
  if (waiting.size < 99) waiting.add(JSON.stringify(hit));
  if (waiting.size < 2) send();
  findElements();
};

// Where the path or the query changed; the hash alone only where it is part of the page.
const viewIfNew = () => {
  if (pageUrl(here) != last) view();
};

// Imported, a script is run once however often it is asked for.
const findElements = () => {
  if (page.querySelector("hit-count,hit-winner")) {
    import(/* @vite-ignore */ server + ELEMENTS_SCRIPT).catch(() => {});
  }
};

const start = () => {
  for (const name of ["pushState", "replaceState"] as const) {
    const original = history[name];
    history[name] = (...state) => {
      original.apply(history, state);
      if (name < "q") viewIfNew();
      last = pageUrl(here);
    };
  }
  // Of a new hash too: browsers tell it here before they tell it as hashchange.
  addEventListener("popstate", viewIfNew);
  addEventListener("pageshow", (event) => (event.persisted ? view() : findElements()));
  addEventListener("pagehide", () => waiting.forEach(post));
  addEventListener("online", () => send());
  view();
};

// Included twice, it counts once. The mark has the server's name, so that the tracker of another
// server has one of its own.
if (!page[server]) {
  page[server] = 1;
  if (page.prerendering) page.addEventListener("prerenderingchange", start);
  else start();
}
