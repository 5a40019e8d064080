// What <hit-count> shows, and what it asks the server for.
import { Program } from "./program.mjs";

const test = (name, body) => ({ name, body });

const texts = (page) =>
  page.evaluate(() =>
    [...document.querySelectorAll("hit-count")].map((each) => {
      const text = each.shadowRoot?.textContent;
      return text || each.textContent;
    }),
  );

const showing = (world, page, wanted) =>
  world.until(`it shows ${wanted}`, async () => {
    const got = await texts(page);
    if (got.join() !== wanted.join()) throw new Error(`it shows ${got}`);
    return true;
  });

async function moves(world) {
  const { site, program } = world;
  const body = `<hit-count>wait</hit-count> <hit-count of="site"></hit-count>
    <hit-count url="/other" live>-</hit-count> <hit-count url="/other" live="off">-</hit-count>`;
  site.page("/moves", { body });
  await program.hit(site.at("/first")); // So that page and site differ.
  await world.until("its site is there", async () => (await world.count(site.at("/first"))) > 0);
  const before = (await program.counts([site.at("/moves")]))[0].site;
  const page = await world.open(await world.context(), "/moves");
  const wanted = (hits, others) => [hits, before + hits + others, others, others].map(String);
  await showing(world, page, wanted(1, 0));
  world.equal("two pages, two streams for four elements", await program.listeners(), 2);
  for (const hits of [2, 3, 4]) {
    await program.hit(site.at("/moves"));
    await showing(world, page, wanted(hits, 0));
  }
  await program.hit(site.at("/other"));
  // Both show one page's numbers, so what one is told the other shows.
  await showing(world, page, wanted(4, 1));
  const event = page.evaluate(
    () => new Promise((resolve) => addEventListener("hit-count", ({ detail }) => resolve(detail))),
  );
  await program.hit(site.at("/moves"));
  world.equal("the page is told the number", await event, 5);
}

async function languages(world) {
  const { site } = world;
  const page = await (await world.context()).newPage();
  await page.route("**/api/v1/counts*", (route) => {
    const counts = [{ url: "x", page: 1234, site: 1234, shown: 1234 }];
    return route.fulfill({ json: { counts }, headers: { "Access-Control-Allow-Origin": "*" } });
  });
  const langs = ["de", "en", "ar-EG", "no language at all"];
  const known = langs.slice(0, 3);
  const one = '<hit-count url="/long"></hit-count>';
  const body = langs.map((lang) => `<p lang="${lang}">${one}</p>`).join("");
  await page.goto(site.at(site.page("/languages", { body })));
  const format = (lang) => new Intl.NumberFormat(lang).format(1234);
  await world.until("as the page's languages write it", async () => {
    const got = await texts(page);
    return got.slice(0, 3).join(" ") === known.map(format).join(" ") && got[3].length > 3;
  });
  const live = await page.evaluate(() => document.querySelectorAll("[aria-live]").length);
  world.equal("nothing is announced", live, 0);
  await page.addStyleTag({ content: "hit-count::part(number) { color: rgb(1, 2, 3) }" });
  const color = await page.evaluate(() => {
    const part = document.querySelector("hit-count").shadowRoot.querySelector("[part=number]");
    return getComputedStyle(part).color;
  });
  world.equal("the page can style it", color, "rgb(1, 2, 3)");
}

async function tabs(world) {
  const { site, program } = world;
  site.plain("/shown", ...silent(program));
  const context = await world.context();
  const pages = [await world.open(context, "/shown"), await world.open(context, "/shown")];
  await Promise.all(pages.map((page) => showing(world, page, ["0", "0"])));
  world.equal("two tabs, four elements, one stream", await program.listeners(), 1);
  await program.hit(site.at("/shown"));
  await Promise.all(pages.map((page) => showing(world, page, ["1", "1"])));
  pages.push(await world.open(context, "/shown"));
  await showing(world, pages[2], ["1", "1"]);
  await pages[0].close();
  await program.hit(site.at("/shown"));
  await Promise.all(pages.slice(1).map((page) => showing(world, page, ["2", "2"])));
  await world.until("and one stream", async () => (await program.listeners()) === 1);
}

/** Elements without the tracker: they count nothing, so that the test decides what is counted. */
function silent(program) {
  const script = `<script>import("${program.address}/js/hit-count-any.js")</script>`;
  return [script, "<hit-count></hit-count><hit-count></hit-count>"];
}

async function withoutLocks(world) {
  const { site, program } = world;
  site.plain("/lonely", ...silent(program));
  const context = await world.context();
  // As on plain http.
  await context.addInitScript(() => {
    Object.defineProperty(Navigator.prototype, "locks", { value: undefined });
  });
  const pages = [await world.open(context, "/lonely"), await world.open(context, "/lonely")];
  await Promise.all(pages.map((page) => showing(world, page, ["0", "0"])));
  world.equal("each tab has its own stream", await program.listeners(), 2);
  await program.hit(site.at("/lonely"));
  await Promise.all(pages.map((page) => showing(world, page, ["1", "1"])));
}

async function hidden(world) {
  const { site, program } = world;
  site.plain("/seen", ...silent(program));
  site.plain("/other-page");
  const page = await world.open(await world.context(), "/seen");
  await showing(world, page, ["0", "0"]);
  const listeners = (wanted) =>
    world.until(`${wanted} listeners`, async () => {
      const got = await program.listeners();
      if (got !== wanted) throw new Error(`${got}`);
      return true;
    });
  await listeners(1);
  // Headless, every tab is visible; so it is said, as the browser would say it.
  const see = (state) =>
    page.evaluate((hide) => {
      Object.defineProperty(document, "hidden", { value: hide, configurable: true });
      document.dispatchEvent(new Event("visibilitychange", { bubbles: true }));
    }, state);
  await see(true);
  await listeners(0);
  await program.hit(site.at("/seen"));
  await world.counted("/seen");
  world.equal("what is hidden does not move", await texts(page), ["0", "0"]);
  await see(false);
  await showing(world, page, ["1", "1"]);
  await listeners(1);
  await page.goto(site.at("/other-page"));
  await listeners(0);
}

async function neverDown(world) {
  const { site } = world;
  const page = await (await world.context()).newPage();
  const told = [7, 5, 9];
  await page.route("**/api/v1/counts*", (route) => {
    const shown = told.shift();
    const counts = [{ url: "x", page: shown, site: shown, shown }];
    return route.fulfill({ json: { counts }, headers: { "Access-Control-Allow-Origin": "*" } });
  });
  const body = '<hit-count live="off"></hit-count>';
  await page.goto(site.at(site.page("/down-never", { body })));
  const seen = [];
  await page.exposeFunction("seen", (number) => void seen.push(number));
  await page.evaluate(() => addEventListener("hit-count", ({ detail }) => window.seen(detail)));
  await world.until("the first is shown", async () => /[79]/.test((await texts(page))[0]));
  while (told.length) {
    const left = told.length;
    await page.evaluate(() => dispatchEvent(new Event("hits")));
    await world.until("it asks again", async () => told.length < left);
  }
  await showing(world, page, ["9"]);
  world.check("no number went down", !seen.includes(5), seen.join());
}

async function restart(world) {
  const { site, program } = world;
  site.plain("/stays", ...silent(program));
  const page = await world.open(await world.context(), "/stays");
  await showing(world, page, ["0", "0"]);
  await program.kill();
  await program.restart();
  await program.hit(site.at("/stays"));
  await showing(world, page, ["1", "1"]);
}

async function refused(world) {
  const { site, program } = world;
  await program.hit(site.at("/full"));
  const page = await (await world.context()).newPage();
  await page.route("**/api/v1/live*", (route) => route.fulfill({ status: 503, body: "" }));
  site.plain("/full", ...silent(program));
  await page.goto(site.at("/full"));
  await showing(world, page, ["1", "1"]);
}

async function sandboxed(world) {
  const { site, program } = world;
  site.plain("/boxed", ...silent(program));
  site.plain("/box", "", '<iframe sandbox="allow-scripts" src="/boxed"></iframe>');
  await program.hit(site.at("/boxed"));
  const page = await world.open(await world.context(), "/box");
  const [, frame] = page.frames();
  await showing(world, frame, ["1", "1"]);
  await program.hit(site.at("/boxed"));
  await showing(world, frame, ["2", "2"]);
  world.equal("one stream for both", await program.listeners(), 1);
  const strict = await world.context();
  await strict.addInitScript(() => {
    window.BroadcastChannel = class {
      constructor() {
        throw new Error("no channels here");
      }
    };
  });
  await showing(world, await world.open(strict, "/boxed"), ["2", "2"]);
}

/** A site that nobody counts is asked for ever more slowly, until it is counted. */
async function unknown(world) {
  const { site } = world;
  const program = await Program.start();
  try {
    const page = await (await world.context()).newPage();
    await page.addInitScript(() => {
      const { setTimeout } = window;
      window.waits = [];
      window.setTimeout = (then, ms, ...more) => {
        if (ms >= 1e4) window.waits.push(ms);
        return setTimeout(then, ms / 5000, ...more);
      };
    });
    await page.goto(site.at(site.plain("/unknown", ...silent(program))));
    const waits = () => page.evaluate(() => window.waits);
    await world.until("it was refused ten times", async () => (await waits()).length >= 10);
    const [first, ...more] = (await waits()).slice(0, 10);
    world.check("first after seconds", first <= 2e4, first);
    const last = more.slice(-3);
    const slow = last.every((ms) => ms >= 2e5 && ms <= 6e5);
    world.check("then after minutes, and no more than ten", slow, last.join());
    program.command("site", "add", "127.0.0.1", "--public-counts");
    await program.hit(site.at("/unknown"));
    await showing(world, page, ["1", "1"]);
  } finally {
    await program.remove();
  }
}

async function routes(world) {
  const { site, program } = world;
  await program.hit(site.at("/spa/two"));
  site.page("/spa", { body: "<hit-count></hit-count>" });
  const page = await world.open(await world.context(), "/spa");
  await showing(world, page, ["1"]);
  await page.evaluate(() => history.pushState({}, "", "/spa/two"));
  await showing(world, page, ["2"]);
  await world.until("the old stream is closed", async () => (await program.listeners()) === 1);
}

async function many(world) {
  const { site, program } = world;
  const links = Array.from({ length: 30 }, (_, at) => `/many/${at}`);
  for (const link of links) await program.hit(site.at(link));
  const body = links.map((link) => `<hit-count live url="${link}"></hit-count>`).join("");
  const head = `<script>import("${program.address}/js/hit-count-any.js")</script>`;
  site.plain("/many", head, `${body}<hit-count url="http://">none</hit-count>`);
  const page = await (await world.context()).newPage();
  const asked = [];
  page.on("request", (request) => asked.push(new URL(request.url()).pathname));
  await page.goto(site.at("/many"));
  await showing(world, page, [...links.map(() => "1"), "none"]);
  world.equal("two streams", await program.listeners(), 2);
  const reads = asked.filter((each) => each.endsWith("/counts"));
  world.equal("the others asked together", reads.length, 2);
}

async function twice(world) {
  const { site, program } = world;
  site.plain("/double", ...silent(program));
  const page = await world.open(await world.context(), "/double");
  await showing(world, page, ["0", "0"]);
  await page.evaluate((from) => import(`${from}/js/hit-count-other.js`), program.address);
  await program.hit(site.at("/double"));
  await showing(world, page, ["1", "1"]);
  world.equal("still one stream", await program.listeners(), 1);
}

async function belowAPath(world) {
  const { site } = world;
  const program = await Program.start("--auto-sites", "--public-url", "http://127.0.0.1/stats");
  try {
    const via = `${program.address}/stats`;
    site.page("/based", { via, body: "<hit-count></hit-count>" });
    const page = await world.open(await world.context(), "/based");
    await showing(world, page, ["1"]);
    await program.hit(site.at("/based"));
    await showing(world, page, ["2"]);
  } finally {
    await program.remove();
  }
}

async function onDemand(world) {
  const { site } = world;
  const loads = async (path, options) => {
    const page = await (await world.context()).newPage();
    const asked = [];
    page.on("request", (request) => asked.push(request.url()));
    await page.goto(site.at(site.page(path, options)));
    await world.counted(path); // Elements are asked for as soon as the hit is sent.
    return asked.map((url) => /\/js\/(hit-.*)-\w+\.js/.exec(url)?.[1]).filter(Boolean);
  };
  const [count, winner] = ['<hit-count live="off"></hit-count>', "<hit-winner>?</hit-winner>"];
  world.equal("without tags", await loads("/bare", {}), []);
  world.equal("with one", await loads("/tag", { body: count }), ["hit-count"]);
  world.equal("with the other", await loads("/winner", { body: winner }), ["hit-winner"]);
  const both = await loads("/both", { body: winner + count });
  world.equal("with both", both, ["hit-count", "hit-winner"]);
}

export const elements = [
  test("the elements move with the counts", moves),
  test("numbers in the languages of the page, styled by it", languages),
  test("tabs share one stream", tabs),
  test("tabs without locks have their own", withoutLocks),
  test("hidden and left pages listen to nothing", hidden),
  test("numbers never go down", neverDown),
  test("elements come back after the server was killed", restart),
  test("elements without a stream read the number", refused),
  test("elements in a sandbox", sandboxed),
  test("elements of an unknown site ask ever more slowly", unknown),
  test("elements follow a route", routes),
  test("many elements on one page", many),
  test("elements defined twice", twice),
  test("tracker and elements below the path of public_url", belowAPath),
  test("elements are loaded where their tags are", onDemand),
];
