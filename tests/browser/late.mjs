// The owner's page as time goes by: answers that come late, and what somebody does meanwhile.
import { Program } from "./program.mjs";

const test = (name, body) => ({ name, body });
const here = "blog.example";
const there = "shop.example";

/** In the page, before its scripts: it looks often, and its answers can be held or changed. */
function hurry() {
  const { setInterval, fetch } = window;
  window.setInterval = (work, ms) => setInterval(work, ms / 50);
  window.treated = {};
  window.fetch = async (...parameters) => {
    const answer = await fetch(...parameters);
    const said = await answer.json();
    const treat = window.treated[new URL(answer.url).pathname.split("/").pop()];
    const told = treat ? await treat(said) : said;
    return { ok: answer.ok, json: async () => told };
  };
}

/** The page of a server with these sites, its owner in. */
async function withOwner(world, hosts, body) {
  const program = await Program.start();
  try {
    for (const host of hosts) program.command("site", "add", host);
    const page = world.hear(await (await world.context()).newPage(), program);
    await page.addInitScript(hurry);
    await page.goto(await program.setUpAddress());
    await page.waitForSelector(hosts.length ? "#site" : "#add");
    await body(program, page);
  } finally {
    await program.remove();
  }
}

const number = (page, wanted) =>
  page.waitForFunction(
    (text) => document.querySelector("#number .said")?.textContent === text,
    wanted,
  );

/** The numbers in a list, once they are these. */
const listed = (page, list, wanted) =>
  page.waitForFunction(
    ([name, text]) =>
      [...document.querySelectorAll(`#${name} .hits`)].map((it) => it.textContent).join() === text,
    [list, wanted],
  );

async function afterLogOut(world) {
  await withOwner(world, [here, there], async (program, page) => {
    await program.hit("https://early.example/a");
    await page.waitForSelector("#knocks");
    await page.fill("#yours-email", "ada@example.com");
    await page.fill("#yours-password", "correct horse battery");
    await page.keyboard.press("Enter");
    await page.waitForSelector("#log-out");
    await page.evaluate(() => {
      window.held = [];
      window.treated.knocks = (said) => new Promise((go) => window.held.push(() => go(said)));
    });
    await page.waitForFunction(() => window.held.length > 0);
    await page.click("#log-out");
    await page.waitForSelector("#log-in");
    await page.evaluate(async () => {
      for (const go of window.held) go();
      await new Promise((done) => setTimeout(done)); // What follows an answer is no task.
    });
    for (const name of ["site", "sites", "knocks", "yours"]) {
      world.check(`#${name} stays away`, await page.isHidden(`#${name}`));
    }
  });
}

async function focusStays(world) {
  await withOwner(world, [here, there], async (program, page) => {
    await program.hit("https://b.example/a");
    const link = page.locator("#site-list").getByRole("link", { name: there });
    const button = page.getByRole("button", { name: "Add b.example" });
    const focused = (place) => place.evaluate((node) => node === document.activeElement);
    await listed(page, "site-list", "0,0");
    await link.focus();
    await page.evaluate(() => getSelection().selectAllChildren(document.querySelector("#snippet")));
    await program.hit(`https://${there}/`);
    await listed(page, "site-list", "0,1");
    world.check("a link keeps it", await focused(link));
    const selected = await page.evaluate(() => String(getSelection()));
    world.check("what is selected stays so", selected.includes("nando.js"), selected);
    await button.focus();
    await program.hit("https://b.example/b");
    await listed(page, "knock-list", " 2 hits");
    world.check("a button keeps it", await focused(button));
    // Newer ones above and below, so that it moves.
    for (const host of ["a.example", "c.example"]) await program.hit(`https://${host}/`);
    await page.waitForFunction(() => document.querySelectorAll("#knock-list li").length === 3);
    world.check("and when others come", await focused(button));
    await page.keyboard.press("Enter");
    await page.waitForFunction(() => document.querySelectorAll("#knock-list li").length === 2);
    await page.waitForFunction(() => document.activeElement?.id === "site-title");
  });
}

async function malformed(world) {
  await withOwner(world, [here], async (program, page) => {
    for (const fragment of ["#%", "#%E0%A4%A"]) {
      await page.goto("about:blank");
      await page.goto(`${program.address}/${fragment}`);
      await page.waitForSelector("#site");
      world.equal("the first is shown", await page.textContent("#site-title"), here);
    }
    await page.evaluate(() => (location.hash = "#%%"));
    await program.hit(`https://${here}/`);
    await number(page, "1");
  });
}

async function numberStays(world) {
  await withOwner(world, [here, there], async (program, page) => {
    for (let hit = 0; hit < 3; hit++) await program.hit(`https://${here}/`);
    await number(page, "3");
    await listed(page, "site-list", "3,0");
    await page.evaluate(() => {
      window.treated.sites = ({ sites }) => ({ sites: sites.map((it) => ({ ...it, hits: 1 })) });
    });
    await listed(page, "site-list", "1,1"); // So it has looked, and the number is older.
    world.equal("it does not go down", await page.textContent("#number .said"), "3");
    await page.evaluate(() => (window.treated.sites = null));
    await listed(page, "site-list", "3,0");
    await page.click(`#site-list a[href="#${there}"]`);
    await number(page, "0");
  });
}

export const late = [
  test("late: an answer after log-out shows nothing", afterLogOut),
  test("late: focus and selection outlive a look", focusStays),
  test("late: a fragment that is no host", malformed),
  test("late: the number is not overtaken by an older one", numberStays),
];
