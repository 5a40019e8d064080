// V5: what the tracker and the elements leave behind, which is nothing, and what they look at.

const test = (name, body) => ({ name, body });

/** In the page, before its scripts: notes every use of what tells one browser from another. */
function watch() {
  const used = [];
  window.usedSurfaces = used;
  const note = (prototype, name) => {
    const found = Object.getOwnPropertyDescriptor(prototype, name);
    if (!found) throw new Error(`there is no ${name} to watch`);
    const noted = (original) =>
      function (...parameters) {
        used.push(name);
        return original.apply(this, parameters);
      };
    const watched = { ...found };
    for (const kind of ["value", "get", "set"]) {
      if (typeof found[kind] === "function") watched[kind] = noted(found[kind]);
    }
    Object.defineProperty(prototype, name, watched);
  };
  const noteNew = (name) => {
    window[name] = new Proxy(window[name], {
      construct(target, parameters) {
        used.push(name);
        return Reflect.construct(target, parameters);
      },
    });
  };
  for (const name of ["getContext", "toDataURL", "toBlob"]) note(HTMLCanvasElement.prototype, name);
  note(CanvasRenderingContext2D.prototype, "measureText");
  note(CanvasRenderingContext2D.prototype, "getImageData");
  note(WebGLRenderingContext.prototype, "getParameter");
  for (const name of ["OffscreenCanvas", "AudioContext", "OfflineAudioContext", "FontFace"]) {
    noteNew(name);
  }
  for (const name of ["check", "load"]) note(FontFaceSet.prototype, name);
  for (const name of ["width", "height", "colorDepth", "availWidth"]) note(Screen.prototype, name);
  for (const name of ["userAgent", "plugins", "hardwareConcurrency", "languages", "platform"]) {
    note(Navigator.prototype, name);
  }
  note(Document.prototype, "cookie");
  for (const name of ["getItem", "setItem", "key"]) note(Storage.prototype, name);
  for (const name of ["localStorage", "sessionStorage", "indexedDB"]) note(window, name);
  note(Intl.DateTimeFormat.prototype, "resolvedOptions");
}

const left = () =>
  Promise.all([
    [document.cookie, localStorage.length, sessionStorage.length],
    indexedDB.databases(),
    caches.keys(),
    navigator.serviceWorker.getRegistrations(),
  ]).then((all) => all.flat());

/** Wins, and keeps the ticket: all that <hit-winner> does. */
async function keep(page) {
  const prize = { kind: "code", says: "A third off", code: "NANDO" };
  const json = { won: true, promotion: "launch", window: 1, entry: 1, hit: 1, prize };
  await page.route("**/api/v1/claims", (route) => {
    page.claimed = route.request();
    return route.fulfill({ headers: { "Access-Control-Allow-Origin": "*" }, json });
  });
  await page.click('hit-winner[state="ready"] [part=button]');
  await page.click("hit-winner [part=keep]");
  await page.click("hit-winner [part=ticket] [part=copy]");
  await page.click("hit-winner [part=download]");
}

async function nothing(world) {
  const { site, proxy } = world;
  const context = await world.context();
  await context.addInitScript(watch);
  const cookie = { name: "session", value: "secret", url: proxy.address, sameSite: "Lax" };
  await context.addCookies([cookie]);
  const body = `<hit-count></hit-count><hit-count url="/other"></hit-count>
    <hit-winner promotion="launch">Did I win?</hit-winner>`;
  const page = await world.open(context, site.page("/quiet", { via: proxy.address, body }));
  await world.counted("/quiet");
  await keep(page);
  await page.evaluate(() => history.pushState({}, "", "/quiet/next"));
  await world.counted("/quiet/next");
  const numbers = () =>
    [...document.querySelectorAll("hit-count")].every((each) => each.shadowRoot?.textContent);
  await world.until("the elements show", () => page.evaluate(numbers));
  world.equal("looked at", await page.evaluate(() => window.usedSurfaces), []);

  // Cookies belong to a host and not to a port, so the one above is this page's too.
  world.equal("left behind", await page.evaluate(left), ["session=secret", 0, 0]);
  world.equal("cookies", (await context.cookies()).map(({ name }) => name), ["session"]);
  const sent = proxy.hits.filter(({ headers }) => "cookie" in headers);
  world.equal("hits with cookies", sent.length, 0);
  const fields = [...new Set(proxy.hits.flatMap((hit) => Object.keys(hit)))].sort();
  world.equal("sent", fields, ["headers", "id", "referrer", "secret_hash", "url"]);
  const asked = page.claimed;
  world.equal("a claim", Object.keys(asked.postDataJSON()), ["receipt", "secret"]);
  world.check("a claim without cookies", !("cookie" in (await asked.allHeaders())));
}

async function watched(world) {
  const { site } = world;
  const context = await world.context();
  await context.addInitScript(watch);
  const page = await world.open(context, site.plain("/nosy"));
  await page.evaluate(() => {
    document.createElement("canvas").getContext("2d").measureText("x");
    new OfflineAudioContext(1, 1, 44100);
    document.fonts.check("12px serif");
    localStorage.setItem("a", String(screen.width));
    document.cookie = "a=b";
    return navigator.userAgent;
  });
  const wanted = "getContext measureText OfflineAudioContext check localStorage width setItem";
  const used = await page.evaluate(() => window.usedSurfaces);
  world.equal("all noticed", used, [...wanted.split(" "), "cookie", "userAgent"]);
  const after = await page.evaluate(left);
  world.equal("and what is left", after, ["a=b", 1, 0]);
}

export const surfaces = [
  test("nothing is stored, nothing is looked at", nothing),
  test("control: a page that looks is noticed", watched),
];
