// The secret of each view: its hash is in the hit, and no hit waits for it longer than it may.
import { createHash } from "node:crypto";

import { state } from "./winner.mjs";

const test = (name, body) => ({ name, body });
const tag = '<hit-winner promotion="launch">Did I win?</hit-winner>';
const hashOf = (secret) => createHash("sha256").update(secret).digest("hex").slice(0, 32);
const script = "**/js/hit-winner-*";

const go = (page, to) => page.evaluate((there) => history.pushState({}, "", there), to);

/** What the page would claim with: the test answers in the program's place. */
async function heardClaims(page) {
  const claims = [];
  await page.route("**/api/v1/claims", (route) => {
    claims.push(route.request().postDataJSON());
    const json = { won: false, hit: 1, reason: "not_drawn" };
    return route.fulfill({ headers: { "Access-Control-Allow-Origin": "*" }, json });
  });
  return claims;
}

async function claim(page, claims) {
  const before = claims.length;
  await state(page, "ready");
  await page.click("hit-winner [part=button]");
  while (claims.length === before) await new Promise((done) => setTimeout(done, 10));
  await state(page, "lost");
  return claims.at(-1);
}

async function routes(world) {
  const { site, proxy } = world;
  site.page("/secrets", { via: proxy.address, body: tag });
  const page = await (await world.context()).newPage();
  const claims = await heardClaims(page);
  await page.goto(site.at("/secrets"));
  await claim(page, claims);
  for (let at = 1; at < 20; at++) {
    await go(page, `/secrets/${at}`);
    await claim(page, claims);
  }
  const sent = proxy.hits.map(({ secret_hash: hash }) => hash);
  const wanted = claims.map(({ secret }) => hashOf(secret));
  world.equal("each hash is that of its view's secret", sent, wanted);
  world.equal("each view has its own", new Set(sent).size, 20);
  world.equal("and its receipt", new Set(claims.map(({ receipt }) => receipt)).size, 20);
  const fit = claims.every((it) => /^[\w-]{22}$/.test(it.secret) && it.receipt.length === 192);
  world.check("22 characters, 192 characters", fit);
}

/** Of one id the first hash that arrives is kept, so each sending must have the same. */
async function again(world) {
  const { site, proxy } = world;
  proxy.treat(async (hit, pass) => {
    const answer = await pass(hit);
    return proxy.hits.length < 3 ? undefined : answer;
  });
  site.page("/lossy", { via: proxy.address, body: tag });
  const page = await (await world.context()).newPage();
  const claims = await heardClaims(page);
  await page.goto(site.at("/lossy"));
  const { secret } = await claim(page, claims);
  const seen = new Set(proxy.hits.map((hit) => `${hit.id} ${hit.secret_hash}`));
  world.equal("sent with one id and one hash", seen.size, 1);
  world.check("again and again", proxy.hits.length >= 3, proxy.hits.length);
  world.equal("that of the secret", proxy.hits[0].secret_hash, hashOf(secret));
  world.equal("counted once", await world.count(site.at("/lossy")), 1);
}

/** The script is held: it comes when it is released. */
async function hold(page) {
  let release;
  const held = new Promise((done) => (release = done));
  await page.route(script, async (route) => {
    await held;
    await route.continue().catch(() => {}); // Of a page that is gone.
  });
  return release;
}

async function slow(world) {
  const { site, proxy } = world;
  site.page("/slow", { via: proxy.address, body: tag });
  const page = await (await world.context()).newPage();
  const release = await hold(page);
  const began = Date.now();
  await page.goto(site.at("/slow"), { waitUntil: "commit" });
  await world.counted("/slow");
  const waited = Date.now() - began;
  world.check("it waits, and for two seconds", waited > 1500 && waited < 5000, waited);
  world.equal("then it goes without", proxy.hits[0].secret_hash, undefined);
  release();
  await state(page, "unknown");
  world.check("there is nothing to ask", await page.isHidden("hit-winner [part=button]"));
  await go(page, "/slow/next");
  await state(page, "ready");
  world.equal("the next view has one", proxy.hits.at(-1).secret_hash?.length, 32);
}

async function left(world) {
  const { site, proxy } = world;
  site.page("/left", { via: proxy.address, body: tag });
  site.plain("/elsewhere");
  const page = await (await world.context()).newPage();
  await hold(page);
  await page.goto(site.at("/left"), { waitUntil: "commit" });
  await page.waitForFunction((server) => document[`${server}/`], proxy.address);
  world.equal("it waits", proxy.hits.length, 0);
  await page.goto(site.at("/elsewhere"));
  await world.counted("/left");
  world.equal("it went without", proxy.hits[0].secret_hash, undefined);
}

async function missing(world) {
  const { site, proxy } = world;
  site.page("/missing", { via: proxy.address, body: tag });
  const page = await (await world.context()).newPage();
  await page.route(script, (route) => route.abort());
  const began = Date.now();
  await page.goto(site.at("/missing"));
  await world.counted("/missing");
  world.check("at once", Date.now() - began < 1800, Date.now() - began);
  await go(page, "/missing/next");
  await world.counted("/missing/next");
  world.equal("once each", [await world.count(site.at("/missing")), proxy.hits.length], [1, 2]);
}

async function others(world) {
  const { site, proxy } = world;
  site.page("/others", { via: proxy.address, body: "<hit-count></hit-count>" });
  await world.open(await world.context(), "/others");
  await world.counted("/others");
  const fields = Object.keys(proxy.hits[0]).sort();
  world.equal("pages without the tag send no hash", fields, ["headers", "id", "referrer", "url"]);
}

async function kept(world) {
  const { site, proxy } = world;
  const tell = `onpageshow = ({ persisted }) => persisted && fetch("/winner-was-kept")`;
  site.page("/back", { via: proxy.address, body: tag, head: `<script>${tell}</script>` });
  site.plain("/away");
  const page = await (await world.context()).newPage();
  await page.goto(site.at("/back"));
  await state(page, "ready");
  await page.goto(site.at("/away"));
  await page.evaluate(() => void setTimeout(() => history.back()));
  await world.until("Chromium has kept it", async () => site.asked.includes("/winner-was-kept"));
  await world.counted("/back", 2);
  const [first, second] = proxy.hits.map(({ secret_hash: hash }) => hash);
  world.check("with a secret of its own", first && second && first !== second);
}

const [receipt, secret] = ["r".repeat(192), "s".repeat(22)];
const ticket = (promotion = "launch") => `#hit-winner=${receipt}.${secret}.${promotion}`;

async function opened(world) {
  const { site, proxy } = world;
  site.page("/app", { via: proxy.address, data: "data-hash", body: tag });
  const listen = () =>
    addEventListener("hashchange", () => (window.hashes ??= []).push(location.hash));
  for (const hash of ["", "#/cart"]) {
    const page = await (await world.context()).newPage();
    await page.addInitScript(listen);
    const claims = await heardClaims(page);
    await page.goto(site.at(`/app?x=1${hash}${ticket()}`));
    await state(page, "lost");
    world.equal("it is asked about", claims, [{ receipt, secret }]);
    world.equal("and gone from the address", page.url(), site.at(`/app?x=1${hash}`));
    world.equal("which whoever goes by it is told", await page.evaluate("hashes[0]"), hash);
  }
  await world.counted("/app?x=1");
  await world.counted("/app%23/cart?x=1");
  const told = JSON.stringify(proxy.hits);
  world.check("no hit says a word of it", !told.includes("rrr") && !told.includes("hit-winner"));
}

async function openedHere(world) {
  const { site } = world;
  const two = `<hit-winner promotion="other">?</hit-winner>${tag}`;
  const page = await (await world.context()).newPage();
  const claims = await heardClaims(page);
  await page.goto(site.at(site.page("/here", { body: two })));
  await page.waitForSelector('hit-winner[state="ready"]');
  await page.evaluate((hash) => (location.hash = hash), ticket());
  await page.waitForSelector('hit-winner[promotion="launch"][state="lost"]');
  world.equal("the one it is for", claims.length, 1);
  world.equal("counted once", await world.count(site.at("/here")), 1);

  const file = { name: "ticket.txt", mimeType: "text/plain" };
  const choose = (text) =>
    page.setInputFiles('hit-winner[promotion="other"] [type=file]', {
      ...file,
      buffer: Buffer.from(text),
    });
  await choose("nothing of the kind");
  await page.waitForSelector('hit-winner[promotion="other"][state="refused"]');
  await choose(`Keep this: ${site.at("/here")}${ticket("other")}\n`);
  await page.waitForSelector('hit-winner[promotion="other"][state="lost"]');
  world.equal("a file is asked about", claims.length, 2);
  await page.evaluate((text) => {
    const dataTransfer = new DataTransfer();
    dataTransfer.items.add(new File([text], "ticket.txt"));
    const drop = new DragEvent("drop", { dataTransfer, bubbles: true, cancelable: true });
    document.querySelector("hit-winner").dispatchEvent(drop);
  }, ticket("other"));
  await world.until("so is one that is dropped", async () => claims.length === 3);
}

export const views = [
  test("views: each has its secret and its receipt", routes),
  test("views: a hit that is sent again has the same hash", again),
  test("views: the script is late", slow),
  test("views: the page is left while the script is on its way", left),
  test("views: the script does not come", missing),
  test("views: pages without the tag", others),
  test("views: back from the back-forward cache", kept),
  test("views: a ticket in the address is no part of the page", opened),
  test("views: a ticket into an open page, by address, file and drop", openedHere),
];
