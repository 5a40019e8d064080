// What counts as a view of a page, and that each is counted once.
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";

const test = (name, body) => ({ name, body });

async function load(world) {
  const { site, program } = world;
  site.page("/load");
  site.plain("/without");
  const context = await world.context();
  await world.open(context, "/without");
  await world.open(context, "/load");
  await world.counted("/load");
  await program.kill();
  await program.restart();
  world.equal("and it is on disk", await world.count(site.at("/load")), 1);
  world.equal("without the script it is not", await world.count(site.at("/without")), 0);
}

/** Hits are sent in order, so one more that is counted says that nothing came before it. */
async function barrier(world, page, to) {
  await page.evaluate((there) => history.pushState({}, "", there), to);
  await world.counted(to);
}

async function routes(world) {
  const { site } = world;
  const page = await world.open(await world.context(), site.page("/routes"));
  await world.counted("/routes");
  await page.evaluate(() => {
    history.pushState({}, "", "/routes/a");
    history.pushState({}, "", "/routes/b?x=1");
    history.pushState({ modal: 1 }, "", "/routes/b?x=1");
    history.replaceState({}, "", "/routes/replaced");
    history.replaceState({}, "", "/routes/again");
    location.hash = "part";
  });
  await barrier(world, page, "/routes/end");
  const count = (of) => world.count(site.at(of));
  world.equal("pushState", await count("/routes/a"), 1);
  world.equal("pushState in the same breath, and to where one is", await count("/routes/b?x=1"), 1);
  world.equal("replaceState", await count("/routes/replaced"), 0);
  world.equal("replaceState and then a hash", await count("/routes/again"), 0);

  await page.evaluate(() => history.back());
  await page.waitForURL("**/routes/again#part");
  await world.counted("/routes/again");
  await page.evaluate(() => history.back());
  await page.waitForURL("**/routes/again");
  await barrier(world, page, "/routes/end2");
  world.equal("back to another page counts, a hash back does not", await count("/routes/again"), 1);
}

async function hashes(world) {
  const { site } = world;
  const page = await world.open(await world.context(), site.page("/plain"));
  await page.evaluate(() => (location.hash = "#/one"));
  await barrier(world, page, "/plain/end");
  world.equal("a hash is no page", await world.count(site.at("/plain")), 1);

  const app = await world.open(await world.context(), site.page("/app", { data: "data-hash" }));
  await world.counted("/app");
  await app.evaluate(() => (location.hash = "#/one"));
  await world.counted("/app%23/one");
  await app.evaluate(() => (location.hash = "#/two"));
  await world.counted("/app%23/two");
  await app.evaluate(() => history.back());
  await world.counted("/app%23/one", 2);
  world.equal("with data-hash it is one", await world.count(site.at("/app")), 1);
  const asked = await world.context();
  await world.open(asked, "/app?utm_source=x#/three");
  await world.counted("/app%23/three");
}

async function referrers(world) {
  const { site, proxy } = world;
  site.page("/from", { via: proxy.address, body: '<a href="/to">to</a>' });
  site.page("/to", { via: proxy.address });
  const page = await world.open(await world.context(), "/from");
  await world.counted("/from");
  await page.click("a");
  await world.counted("/to");
  await page.evaluate(() => history.pushState({}, "", "/to/next"));
  await world.counted("/to/next");
  // The site's own policy says how much of an address another page is told.
  const wanted = ["", site.at("/from"), site.at("/to")];
  world.equal("referrers", proxy.hits.map(({ referrer }) => referrer), wanted);
  world.equal("as text/plain", proxy.hits[0].headers["content-type"], "text/plain;charset=UTF-8");
  const ids = new Set(proxy.hits.map(({ id }) => id));
  const fit = [...ids].every((id) => /^.{16,64}$/.test(id));
  world.check("each with an id of 16 to 64", ids.size === 3 && fit, [...ids].join(" "));
}

async function twice(world) {
  const { site, program } = world;
  const again = `<script defer src="${program.address}/js/nando.js?again"></script>`;
  const page = await world.open(await world.context(), site.page("/twice", { head: again }));
  await barrier(world, page, "/twice/end");
  world.equal("included twice, counted once", await world.count(site.at("/twice")), 1);
  world.equal("and the next too", await world.count(site.at("/twice/end")), 1);
}

async function badPage(world) {
  const { site, program } = world;
  const ours = program.address;
  const policy = `script-src ${ours}; connect-src ${ours}; default-src 'none'`;
  const headers = { "Content-Security-Policy": policy };
  const strict = site.page("/strict", { headers, body: "<hit-count></hit-count>" });
  const page = await world.open(await world.context(), strict);
  await world.counted("/strict");
  await world.until("an element under a policy", async () => /1/.test(await shown(page)));

  const context = await world.context();
  await context.addInitScript(() => {
    window.fetch = () => {
      throw new Error("no fetch here");
    };
  });
  const other = await world.open(context, site.page("/broken"));
  await other.evaluate(() => history.pushState({}, "", "/broken/next"));
  world.equal("a page without fetch goes on", new URL(other.url()).pathname, "/broken/next");
  const names = () => Object.keys(window).filter((key) => /nando|hit/i.test(key));
  world.equal("and has no new global", await other.evaluate(names), []);
}

const shown = (page) =>
  page.evaluate(() => document.querySelector("hit-count").shadowRoot?.textContent ?? "");

async function unload(world) {
  const { site, proxy } = world;
  let release;
  const held = new Promise((resolve) => (release = resolve));
  proxy.treat(async (hit, pass) => {
    await held;
    return pass(hit);
  });
  site.page("/unload", { via: proxy.address });
  site.plain("/next");
  const page = await world.open(await world.context(), "/unload");
  await world.until("the hit is under way", async () => proxy.hits.length === 1);
  await page.goto(site.at("/next"));
  await world.until("it is sent again as the page goes", async () => proxy.hits.length === 2);
  world.equal("with its id", proxy.hits[0].id, proxy.hits[1].id);
  release();
  await world.counted("/unload");
  await proxy.idle();
  world.equal("and counted once", await world.count(site.at("/unload")), 1);
}

// In a Chromium that nothing drives: under Playwright it loads nothing ahead. The page navigates by
// itself as soon as the test has put up /go.
async function prerender(world) {
  const { site } = world;
  const rules = JSON.stringify({ prerender: [{ urls: ["/ahead"], eagerness: "immediate" }] });
  const go = `const look = async () =>
    (await fetch("/go")).ok ? location.assign("/ahead") : setTimeout(look, 50);
    look()`;
  const tell = `fetch("/ahead-" + document.prerendering);
    document.onprerenderingchange = () => fetch("/ahead-shown")`;
  const start = `<script type="speculationrules">${rules}</script><script>${go}</script>`;
  site.page("/ahead", { head: `<script>${tell}</script>` });
  site.plain("/start", start);
  const asked = (what) => async () => site.asked.includes(what);
  const profile = mkdtempSync(path.join(tmpdir(), "nandolytics-chromium-"));
  const flags = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"];
  const chromium = spawn(
    world.executablePath,
    [...flags, world.agent, "--no-first-run", `--user-data-dir=${profile}`, site.at("/start")],
    { stdio: "ignore", detached: true },
  );
  try {
    await world.until("Chromium runs it ahead", asked("/ahead-true"));
    world.equal("not counted ahead", await world.count(site.at("/ahead")), 0);
    site.plain("/go");
    await world.until("it is shown from there", asked("/ahead-shown"));
    await world.counted("/ahead");
  } finally {
    // With its children, which write into the profile as long as they live.
    process.kill(-chromium.pid, "SIGKILL");
    await world.until("its profile is gone", async () => {
      rmSync(profile, { recursive: true, force: true });
      return true;
    });
  }
}

async function prerenderEmulated(world) {
  const context = await world.context();
  await context.addInitScript(() => {
    Object.defineProperty(document, "prerendering", { value: true, configurable: true });
  });
  const { site } = world;
  const page = await world.open(context, site.page("/waiting"));
  await page.evaluate(() => history.pushState({}, "", "/waiting/inside"));
  const marked = await page.evaluate((server) => document[`${server}/`], world.program.address);
  world.check("the tracker has run", marked);
  world.equal("and waits", await world.count(site.at("/waiting/inside")), 0);
  await page.evaluate(() => {
    delete document.prerendering;
    document.dispatchEvent(new Event("prerenderingchange"));
  });
  await world.counted("/waiting/inside");
}

async function backForward(world) {
  const { site } = world;
  const tell = `onpageshow = ({ persisted }) => persisted && fetch("/was-kept")`;
  site.page("/kept", { head: `<script>${tell}</script>` });
  site.plain("/away");
  const page = await world.open(await world.context(), "/kept");
  await world.counted("/kept");
  await page.goto(site.at("/away"));
  // Not goBack(): Playwright waits for a load, and a page that was kept is not loaded.
  await page.evaluate(() => void setTimeout(() => history.back()));
  await world.until("Chromium has kept it", async () => site.asked.includes("/was-kept"));
  await world.counted("/kept", 2);
}

async function offline(world) {
  const { site } = world;
  const context = await world.context();
  const page = await world.open(context, site.page("/online"));
  await world.counted("/online");
  await context.setOffline(true);
  const failed = page.waitForEvent("requestfailed");
  await page.evaluate(() => history.pushState({}, "", "/offline"));
  await failed;
  await context.setOffline(false);
  await world.counted("/offline");
  await barrier(world, page, "/offline/end");
  world.equal("counted once", await world.count(site.at("/offline")), 1);
}

async function restart(world) {
  const { site, program } = world;
  const page = await world.open(await world.context(), site.page("/up"));
  await world.counted("/up");
  await program.kill();
  const failed = page.waitForEvent("requestfailed");
  await page.evaluate(() => history.pushState({}, "", "/down"));
  await failed;
  await program.restart();
  await world.counted("/down");
  await barrier(world, page, "/down/end");
  world.equal("counted once", await world.count(site.at("/down")), 1);
}

async function otherHost(world) {
  const { site, program } = world;
  site.page("/elsewhere", { via: program.address.replace("127.0.0.1", "localhost") });
  await world.open(await world.context(), "/elsewhere");
  await world.counted("/elsewhere");
}

async function refused(world) {
  const { site, proxy } = world;
  const headers = { "Access-Control-Allow-Origin": "*" };
  const first = site.at("/refused");
  proxy.treat(async (hit, pass) => {
    if (hit.url !== first) return pass(hit);
    return { status: proxy.hits.length < 3 ? 503 : 400, headers, body: "{}" };
  });
  site.page("/refused", { via: proxy.address });
  const page = await world.open(await world.hurriedContext(), "/refused");
  await world.until("after 503 it asks again", async () => proxy.hits.length >= 3);
  await barrier(world, page, "/refused/next");
  await barrier(world, page, "/refused/last");
  // Hits go in order, so the next one went because 400 was final.
  const urls = proxy.hits.map(({ url }) => url);
  world.check("400 is final", urls.lastIndexOf(first) < urls.indexOf(site.at("/refused/last")));
  world.equal("and not counted", await world.count(first), 0);
}

export const tracker = [
  test("a load is counted, on disk", load),
  test("routes: pushState, replaceState, back", routes),
  test("hash routes with and without data-hash", hashes),
  test("what is sent: referrer, id, type", referrers),
  test("the script twice", twice),
  test("pages that are strict, pages that are broken", badPage),
  test("a page that goes while its hit is under way", unload),
  test("prerendered by speculation rules", prerender),
  test("prerendering, emulated", prerenderEmulated),
  test("back from the back-forward cache", backForward),
  test("offline and back", offline),
  test("the server is killed under an open page", restart),
  test("the server under another host name", otherHost),
  test("503 is asked again, 400 is final", refused),
];
