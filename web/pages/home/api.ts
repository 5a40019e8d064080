// What this page asks of its server. Addresses are relative to the page, so that all of it works
// below the path of public_url.

export interface Session {
  state: "set_up" | "log_in" | "in";
  email: string;
  public_url: string;
  warnings: string;
}

export interface Site {
  host: string;
  hits: number;
  public_counts: boolean;
  timezone: string;
}

export interface Knock {
  host: string;
  hits: number;
  last: string;
}

/** What the server said no to, in its own words; `word` is the error's. */
export class Refusal extends Error {
  readonly word: string;
  constructor(word: string, message: string) {
    super(message);
    this.word = word;
  }
}

/** The folder this page is in; no slash is lost by the fragment or a query. */
export const base = new URL(".", location.origin + location.pathname).href;

async function ask<Answer>(method: string, path: string, body?: object): Promise<Answer> {
  const init: RequestInit = { method, cache: "no-store", redirect: "error" };
  if (body) init.body = JSON.stringify(body);
  let answer: Response;
  try {
    answer = await fetch(`${base}api/v1/${path}`, init);
  } catch {
    throw new Refusal("away", "The server does not answer. Is it running?");
  }
  const said = (await answer.json()) as Answer & { error?: string; message?: string };
  if (!answer.ok) throw new Refusal(said.error ?? "", sentence(said.message ?? "It said no"));
  return said;
}

function sentence(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1) + (/[.!?]$/.test(text) ? "" : ".");
}

/** Not crypto.randomUUID(): that one is missing on plain http. */
function newId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

export const api = {
  session: () => ask<Session>("GET", "session"),
  useSetUpToken: (token: string) => ask("POST", "session", { set_up_token: token }),
  logIn: (email: string, password: string) => ask("POST", "session", { email, password }),
  logOut: () => ask("DELETE", "session"),
  makeOwner: (email: string, password: string) => ask("POST", "owner", { email, password }),
  sites: async () => (await ask<{ sites: Site[] }>("GET", "sites")).sites,
  addSite: (host: string, isPublic: boolean) =>
    ask<Site>("POST", "sites", { host, public_counts: isPublic, timezone: zone() }),
  setPublic: (host: string, isPublic: boolean) =>
    ask<Site>("POST", "sites/set", { host, public_counts: isPublic }),
  knocks: async () => (await ask<{ knocks: Knock[] }>("GET", "knocks")).knocks,
  testHit: (host: string) => ask<{ site: number }>("POST", "sites/test", { host, id: newId() }),
  liveUrl: (host: string) => `${base}api/v1/sites/live?host=${encodeURIComponent(host)}`,
};

function zone(): string {
  return Intl.DateTimeFormat().resolvedOptions().timeZone;
}
