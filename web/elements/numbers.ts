// A page's numbers as the server shows them: read once, or as they change. Whatever way they come,
// they never go down: what was read before the visitor's own hit was counted may arrive after it.

const api = new URL(/* @vite-ignore */ "../api/v1/", import.meta.url).href;

// A browser has six connections to a server that speaks HTTP/1.1, over all tabs. Hits need theirs.
const streamsMax = 2;
// The server takes 100, and a request line of 16 KiB.
const askedAtOnceMax = 20;
const reopenMs = 1e4;
// A site that is closed or unknown stays so; one that is opened is seen this late.
const reopenMsMax = 3e5;

export interface Watcher {
  /** Whether it wants every change, or is content with what was true when it was shown. */
  live: boolean;
  render(): void;
}

/** The numbers of one page, for all elements that show them. */
export class Numbers {
  static readonly all = new Map<string, Numbers>();
  static #streams = 0;
  static #asked = new Set<Numbers>();

  readonly watchers = new Set<Watcher>();
  page = -1;
  site = -1;
  readonly #query: string;
  #close: (() => void) | undefined;

  static of(url: string): Numbers {
    const found = this.all.get(url) ?? new Numbers(url);
    this.all.set(url, found);
    return found;
  }

  private constructor(url: string) {
    this.#query = `url=${encodeURIComponent(url)}`;
  }

  /** Brings what the watchers want, if anybody can see them. */
  refresh() {
    const watchers = [...this.watchers];
    if (document.hidden || !watchers.length) return this.rest();
    if (!watchers.some((each) => each.live)) {
      this.rest();
      this.#ask();
    } else if (!this.#close) {
      if (Numbers.#streams < streamsMax) this.#open();
      else this.#ask();
    }
  }

  /** Lets go of the server. */
  rest() {
    this.#close?.();
  }

  #take(page: number, site: number) {
    this.page = Math.max(this.page, page);
    this.site = Math.max(this.site, site);
    for (const watcher of this.watchers) watcher.render();
  }

  /** Reads it once, together with all that are asked for in the same breath. */
  #ask() {
    if (!Numbers.#asked.size) queueMicrotask(() => Numbers.#askAll());
    Numbers.#asked.add(this);
  }

  static #askAll() {
    const all = [...this.#asked];
    this.#asked.clear();
    while (all.length) void this.#read(all.splice(0, askedAtOnceMax));
  }

  static async #read(some: Numbers[]) {
    const query = some.map((each) => each.#query).join("&");
    try {
      const answer = await fetch(`${api}counts?${query}`, { credentials: "omit" });
      const { counts } = await answer.json();
      some.forEach((each, at) => {
        const { shown, site } = counts[at];
        if (shown >= 0) each.#take(shown, site);
      });
    } catch {
      // What the page wrote into the element stays.
    }
  }

  // Tabs of one origin share a stream where the browser lets them, which it does on https: the one
  // that holds the lock reads it and tells the others; when it goes, the next one reads.
  #open() {
    const address = `${api}live?${this.#query}`;
    const ended = new AbortController();
    const signal = ended.signal;
    let channel: BroadcastChannel | undefined;
    let reads = false;
    let wait = reopenMs;

    try {
      channel = navigator.locks && new BroadcastChannel(address);
    } catch {
      // A sandbox that shares nothing.
    }

    const read = () => {
      reads = true;
      const stream = new EventSource(address);
      stream.onmessage = ({ data }) => {
        wait = reopenMs;
        const { page, site } = JSON.parse(data);
        this.#take(page, site);
        channel?.postMessage([page, site]);
      };
      // It comes back by itself unless it was refused; then the number is at least read, and asked
      // for ever more slowly.
      stream.onerror = () => {
        if (stream.readyState != EventSource.CLOSED || signal.aborted) return;
        this.#ask();
        const again = setTimeout(read, wait * (1 + Math.random()));
        wait = Math.min(wait * 2, reopenMsMax);
        signal.addEventListener("abort", () => clearTimeout(again));
      };
      signal.addEventListener("abort", () => stream.close());
    };

    Numbers.#streams++;
    this.#close = () => {
      this.#close = undefined;
      Numbers.#streams--;
      ended.abort();
      channel?.close();
    };
    if (!channel) return read();
    channel.onmessage = ({ data }) => {
      if (data) this.#take(data[0], data[1]);
      else if (reads && this.page >= 0) channel?.postMessage([this.page, this.site]);
    };
    channel.postMessage(0); // Whoever reads: what is the number?
    navigator.locks
      .request(address, { signal }, () => {
        if (signal.aborted) return;
        read();
        return new Promise((release) => signal.addEventListener("abort", release));
      })
      // A sandbox gives no locks.
      .catch(() => signal.aborted || reads || read());
  }
}
