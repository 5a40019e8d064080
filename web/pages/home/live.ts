// One site's number as it changes. The stream is open only while the page is seen.
import { api } from "./api";

interface Numbers {
  site: number;
}

let stream: EventSource | null = null;
let watched: { host: string; tell: (hits: number) => void } | null = null;

export function watch(host: string, tell: (hits: number) => void): void {
  if (watched?.host === host) return;
  watched = { host, tell };
  reopen();
}

export function watchNothing(): void {
  watched = null;
  reopen();
}

function reopen(): void {
  stream?.close();
  stream = null;
  if (!watched || document.hidden) return;
  const { host, tell } = watched;
  stream = new EventSource(api.liveUrl(host));
  stream.onmessage = (event: MessageEvent<string>) => {
    tell((JSON.parse(event.data) as Numbers).site);
  };
  // A server that says no (it was restarted, and nobody is logged in) ends the stream for good.
  stream.onerror = () => {
    if (stream?.readyState === EventSource.CLOSED) setTimeout(reopen, 2000);
  };
}

document.addEventListener("visibilitychange", reopen);
addEventListener("pagehide", () => stream?.close());
addEventListener("pageshow", (event) => {
  if (event.persisted) reopen();
});
