// The owner's page: the first run as a new owner lives it, with the keyboard, and who gets in.
import { everyLook } from "./looks.mjs";
import { Program } from "./program.mjs";

const test = (name, body) => ({ name, body });
const email = "ada@example.com";
const password = "correct horse battery";
const firstPaintBytesMax = 100_000;

/** A server that nobody owns yet, for as long as the test takes. */
async function withServer(world, body) {
  const program = await Program.start();
  const context = await world.context();
  const page = world.hear(await context.newPage(), program);
  try {
    await body(program, page, context);
  } finally {
    await program.remove();
  }
}

const shown = (page, name) => page.waitForSelector(`#${name}:not([hidden])`);

const number = (page, wanted) =>
  page.waitForFunction(
    (text) => document.querySelector("#number .said")?.textContent === text,
    wanted,
  );

const said = (page, text) =>
  page.waitForFunction((wanted) => document.body.innerText.includes(wanted), text);

/** Presses Tab until what is focused is that one. */
async function tabTo(world, page, name) {
  for (let presses = 0; presses < 40; presses++) {
    if (await page.evaluate((id) => document.activeElement?.id === id, name)) return;
    await page.keyboard.press("Tab");
  }
  world.check(`#${name} is reached by Tab`, false);
}

async function firstRun(world) {
  await withServer(world, async (program, page, context) => {
    await page.goto(await program.setUpAddress());
    await shown(page, "add");
    world.check("the token leaves the address", !page.url().includes("#set-up"), page.url());
    world.equal("a cookie that scripts do not see", await page.evaluate(() => document.cookie), "");
    await tabTo(world, page, "host");
    await page.keyboard.type("127.0.0.1");
    await page.keyboard.press("Enter");
    await number(page, "0");
    const focused = await page.evaluate(() => document.activeElement?.id);
    world.equal("the new site is where one is", focused, "site-title");
    const snippet = await page.textContent("#snippet");
    world.equal("the line to paste", snippet,
                `<script defer src="${program.address}/js/nando.js"></script>`);
    await tabTo(world, page, "test");
    await page.keyboard.press("Enter");
    await number(page, "1");
    world.site.plain("/pasted", snippet);
    await world.open(context, "/pasted");
    await number(page, "2");
    await program.hit("http://127.0.0.1/more");
    await number(page, "3");
    await page.reload();
    await number(page, "3");
  });
}

async function copied(world) {
  await withServer(world, async (program, page, context) => {
    const wanted = ["clipboard-read", "clipboard-write"];
    await context.grantPermissions(wanted, { origin: program.address });
    program.command("site", "add", "blog.example");
    await page.goto(await program.setUpAddress());
    await shown(page, "site");
    await page.click("#copy");
    await said(page, "Copied");
    const kept = await page.evaluate(() => navigator.clipboard.readText());
    world.equal("the clipboard has the line", kept, await page.textContent("#snippet"));
  });
}

async function owner(world) {
  await withServer(world, async (program, page, context) => {
    program.command("site", "add", "blog.example");
    const setUp = await program.setUpAddress();
    await page.goto(setUp);
    await shown(page, "yours");
    await page.fill("#yours-email", email);
    await page.fill("#yours-password", password);
    await page.keyboard.press("Enter");
    await said(page, "It is yours.");
    await page.waitForSelector("#yours", { state: "hidden" });

    await program.kill();
    await program.restart();
    await page.reload();
    await shown(page, "site");
    const other = await (await world.context()).newPage();
    await other.goto(setUp);
    await shown(other, "log-in");
    await page.click("#log-out");
    await shown(page, "log-in");
    world.check("what only the owner sees is gone", await page.isHidden("#site"));
    await page.fill("#log-in-email", email);
    await page.fill("#log-in-password", "not my password");
    await page.keyboard.press("Enter");
    await said(page, "is not right");
    await page.fill("#log-in-password", password);
    await page.keyboard.press("Enter");
    await shown(page, "site");
    await context.clearCookies();
    await page.reload();
    await shown(page, "log-in");
  });
}

async function knocks(world) {
  await withServer(world, async (program, page) => {
    await program.hit("https://early.example/a");
    await page.goto(await program.setUpAddress());
    await shown(page, "knocks");
    await page.getByRole("button", { name: "Add early.example" }).click();
    await said(page, "early.example is counted.");
    world.check("it knocks no more", await page.isHidden("#knocks"));
    await program.hit("https://early.example/b");
    await number(page, "1");
  });
}

async function opened(world) {
  await withServer(world, async (program, page) => {
    program.command("site", "add", "blog.example");
    await page.goto(await program.setUpAddress());
    await shown(page, "site");
    const status = async () =>
      (await fetch(`${program.address}/api/v1/counts?url=https://blog.example/`)).status;
    world.equal("closed", await status(), 404);
    await page.click("#show-it summary");
    await page.click("#open");
    await said(page, "Everybody may see them.");
    world.equal("open", await status(), 200);
    world.check("the counter is shown", await page.isVisible("#element"));
    await page.click("#close");
    await said(page, "They are yours alone.");
    world.equal("closed again", await status(), 404);
  });
}

async function accessible(world) {
  await withServer(world, async (program, page) => {
    await page.goto(program.address);
    await shown(page, "closed");
    await everyLook(world, page, "closed");
    await program.hit("https://a-rather-long-host-name-of-somebody-else.example/a");
    await page.goto("about:blank");
    await page.goto(await program.setUpAddress());
    await shown(page, "knocks");
    await everyLook(world, page, "first run");
    for (const host of ["blog.example", "a-second-site-with-a-long-name.example"]) {
      await page.fill("#host", host);
      await page.click("#add-form button");
      await said(page, `${host} is counted.`);
    }
    await page.click("#show-it summary");
    await page.click("#open");
    await said(page, "Everybody may see them.");
    await everyLook(world, page, "sites");
    await page.fill("#yours-email", email);
    await page.fill("#yours-password", password);
    await page.keyboard.press("Enter");
    await said(page, "It is yours.");
    await page.click("#log-out");
    await shown(page, "log-in");
    await everyLook(world, page, "log in");
    await page.goto(`${program.address}/try`);
    await page.waitForFunction(() => document.querySelector("#number")?.textContent !== "\u2026");
    await everyLook(world, page, "/try");
  });
}

async function light(world) {
  await withServer(world, async (program, page) => {
    let bytes = 0;
    const asked = [];
    page.on("requestfinished", async (request) => {
      const sizes = await request.sizes();
      bytes += sizes.responseBodySize + sizes.responseHeadersSize;
      asked.push(request.url());
    });
    await page.goto(await program.setUpAddress(), { waitUntil: "networkidle" });
    await shown(page, "add");
    world.check("what was loaded was seen", asked.length >= 5, asked.length);
    world.check("from this server alone", asked.every((url) => url.startsWith(program.address)));
    world.check("first paint under 100 kB in all", bytes < firstPaintBytesMax, bytes);
    console.log(`   the first-run page: ${bytes} bytes in ${asked.length} answers`);
  });
}

async function banner(world) {
  await withServer(world, async (program, page) => {
    const body = JSON.stringify({ url: "https://a.example/" });
    const headers = { "X-Forwarded-For": "203.0.113.7" };
    await page.goto(await program.setUpAddress());
    await shown(page, "add");
    world.check("no banner without a reason", await page.isHidden("#banners"));
    await fetch(`${program.address}/api/v1/hits`, { method: "POST", body, headers });
    await page.reload();
    await shown(page, "banners");
    await said(page, "trusted_proxies");
  });
}

async function serverAway(world) {
  await withServer(world, async (program, page) => {
    program.command("site", "add", "blog.example");
    await page.goto(await program.setUpAddress());
    await shown(page, "yours");
    await page.fill("#yours-email", email);
    await page.fill("#yours-password", password);
    await page.keyboard.press("Enter");
    await said(page, "It is yours.");
    await program.kill();
    await page.click("#test");
    await said(page, "The server does not answer.");
    await program.restart();
    await program.hit("https://blog.example/a");
    await number(page, "1");
  });
}

export const home = [
  test("home: two steps to a number that moves, by keyboard", firstRun),
  test("home: the line is copied", copied),
  test("home: an owner, log out, log in, a restart", owner),
  test("home: hosts that knock are added", knocks),
  test("home: a site is opened and closed", opened),
  test("home: axe, light and dark, 320 px", accessible),
  test("home: first paint under 100 kB", light),
  test("home: a forgotten proxy raises a banner", banner),
  test("home: a server that goes and comes back", serverAway),
];
