// <hit-winner> by itself: what it says, how it is used, and what it warns of. Here its answers are
// the test's; prizes.mjs has those of the program.
import { everyLook } from "./looks.mjs";

const test = (name, body) => ({ name, body });

const entry = { promotion: "launch", window: 3, entry: 4217, hit: 5120 };
const prize = (kind, more) => ({ won: true, ...entry, prize: { kind, ...more } });
const code = "NANDO-7F3K-99XQ";
export const answers = {
  lost: { won: false, ...entry, reason: "not_drawn" },
  lapsed: { won: false, ...entry, reason: "lapsed" },
  no_stock: { won: false, ...entry, reason: "no_stock" },
  no_entry: { won: false, hit: 5120, reason: "no_entry" },
  pending: { won: null, ...entry, reason: "pending", known_at: "2026-12-24T18:00:00.000Z" },
  undated: { won: null, ...entry, reason: "pending", known_at: null },
  text: prize("text", { says: "A mug, and our thanks" }),
  link: prize("link", { says: "https://shop.example/a-prize" }),
  code: prize("code", { says: "A third off in our shop, once", code }),
  refused: 400,
  error: 503,
};
const states = { undated: "pending", text: "won", link: "won", code: "won" };

const look = `<style>:root { color-scheme: light dark } body { font: 1rem/1.5 sans-serif }</style>`;
const tag = '<hit-winner promotion="launch">Did I win?</hit-winner>';

export const state = (page, wanted) => page.waitForSelector(`hit-winner[state="${wanted}"]`);

/** A page that is ready to ask, and is answered so. */
async function ready(world, name, { body = tag, context, ...page } = {}) {
  const answer = typeof name === "string" ? answers[name] : name;
  const status = typeof answer === "number" ? answer : 200;
  const path = `/winner/${Math.random()}`;
  world.site.page(path, { head: look, body: `<main><h1>A page</h1>${body}</main>`, ...page });
  const opened = await (context ?? (await world.context())).newPage();
  opened.on("pageerror", (error) => world.failures.push(`an error: ${error.message}`));
  await opened.route("**/api/v1/claims", (route) => {
    const headers = { "Access-Control-Allow-Origin": "*" };
    return route.fulfill({ status, headers, json: status === 200 ? answer : { error: "x" } });
  });
  await opened.goto(world.site.at(path));
  await state(opened, "ready");
  return opened;
}

async function asked(world, name, options) {
  const page = await ready(world, name, options);
  await page.click("hit-winner [part=button]");
  await state(page, states[name] ?? name);
  return page;
}

const text = (page) => page.locator("hit-winner [part=answer]").innerText();

/** Each in a page of its own, a few pages at a time. */
async function eachOf(names, body) {
  const left = [...names];
  const worker = async () => {
    while (left.length) await body(left.shift());
  };
  await Promise.all(Array.from({ length: 4 }, worker));
}

async function looks(world) {
  const context = await world.context();
  await eachOf(Object.keys(answers), async (name) => {
    const page = await asked(world, name, { context });
    const keep = page.locator("hit-winner [part=keep]");
    if (await keep.count()) await keep.click();
    await everyLook(world, page, name);
    await page.close();
  });
  const page = await ready(world, "lost");
  await everyLook(world, page, "ready");
}

async function says(world) {
  const wanted = {
    lost: "Not this time: you were hit 5,120.",
    lapsed: "You were hit 5,120 and had won, but the time to claim it is over.",
    no_stock: "You were hit 5,120 and had won, but no prize was left.",
    no_entry: "You were hit 5,120, but this visit is not in the draw.",
    undated: "You are in. It is not decided yet.",
    refused: "This ticket is not good here.",
    error: "No answer. Ask again: it is safe.",
  };
  const context = await world.browser.newContext({ timezoneId: "Europe/Vienna" });
  await eachOf(Object.keys(wanted), async (name) => {
    const page = await asked(world, name, { context });
    world.equal(name, await text(page), wanted[name]);
    await page.close();
  });
  const date = (await text(await asked(world, "pending", { context }))).replace(/\s/g, " ");
  world.equal("when", date, "You are in. Come back after December 24, 2026 at 7:00 PM.");
  const won = await asked(world, "text");
  world.equal("won", await text(won), "You won!\n\nA mug, and our thanks");
  const link = (await asked(world, "link")).locator("hit-winner [part=link]");
  world.equal("a link", await link.getAttribute("href"), "https://shop.example/a-prize");
  const bad = { ...answers.link, prize: { kind: "link", says: "javascript:alert(1)" } };
  const page = await ready(world, bad);
  await page.click("hit-winner [part=button]");
  await state(page, "won");
  world.equal("no link to a script", await page.locator("hit-winner [part=link]").count(), 0);
}

async function words(world) {
  const body = `<div lang="de"><hit-winner promotion="launch" lost="Leider nein: Nummer {hit}.">
    Gewonnen? <b slot="no_entry">Nummer <i data-hit></i>, kein Los</b></hit-winner></div>`;
  const style = "<style>hit-winner::part(lost) { color: rgb(1, 2, 3) }</style>";
  const page = await asked(world, "lost", { body, head: style });
  world.equal("by an attribute", await text(page), "Leider nein: Nummer 5.120.");
  const part = page.locator("hit-winner [part~=lost]");
  const color = await part.evaluate((each) => getComputedStyle(each).color);
  world.equal("styled", color, "rgb(1, 2, 3)");
  const other = await asked(world, "no_entry", { body });
  world.check("by a slot", await other.isVisible("hit-winner [slot=no_entry]"));
  const slotted = await other.innerText("hit-winner [slot=no_entry]");
  world.equal("with its number", slotted, "Nummer 5.120, kein Los");
  const bare = '<hit-winner>\n<b slot="won">!</b></hit-winner>';
  const none = await ready(world, "lost", { body: bare });
  const name = await none.innerText("hit-winner button");
  world.equal("a button always has a name", name, "Did I win?");
}

/** The page's own listener hears the answer, on the way up. */
async function told(world) {
  const page = await ready(world, "lost");
  await page.evaluate(() => {
    document.body.addEventListener("hit-winner", ({ detail }) => (window.heard = detail));
  });
  await page.click("hit-winner [part=button]");
  await state(page, "lost");
  world.equal("the answer", await page.evaluate(() => window.heard), answers.lost);
  const live = page.locator("hit-winner [part=answer]");
  world.equal("it is announced", await live.getAttribute("role"), "status");
}

const focused = (page) =>
  page.evaluate(() => {
    const element = document.activeElement?.shadowRoot?.activeElement;
    const ring = element && getComputedStyle(element.closest("label") ?? element).outlineStyle;
    return `${element?.getAttribute("part")} ${ring}`;
  });

async function keyboard(world) {
  const context = await world.browser.newContext({ permissions: ["clipboard-write"] });
  const page = await ready(world, "code", { context });
  const press = async (...keys) => {
    for (const key of keys) await page.keyboard.press(key);
  };
  await press("Tab");
  world.equal("first the button, with a ring", await focused(page), "button solid");
  await press("Tab");
  world.equal("then the file", await focused(page), "file solid");
  await press("Shift+Tab", "Enter");
  await state(page, "won");
  world.equal("where one is stays", await focused(page), "button solid");
  await press("Tab");
  world.equal("the code", await focused(page), "code solid");
  await press("Tab", "Enter");
  await page.getByText("Copied.").waitFor();
  await press("Tab", "Enter");
  world.equal("the ticket", await focused(page), "ticket-link solid");
  await press("Tab", "Tab");
  world.equal("and its file", await focused(page), "download solid");
  await press("Shift+Tab", "Shift+Tab", "Shift+Tab", "Shift+Tab", "Shift+Tab", "Space");
  await state(page, "won");
}

async function motion(world) {
  const pieces = (page) => page.locator("hit-winner i").count();
  const page = await asked(world, "text");
  world.check("it is celebrated", (await pieces(page)) > 10);
  await world.until("and over", async () => (await pieces(page)) === 0);
  const context = await world.browser.newContext({ reducedMotion: "reduce" });
  const calm = await asked(world, "text", { context });
  world.equal("unless less motion is wanted", await pieces(calm), 0);
}

/** Whether the page asks before it is left, in which case it stays. */
async function warns(page) {
  const closed = new Promise((done) => page.once("close", () => done(false)));
  const asked = new Promise((done) => {
    page.once("dialog", (dialog) => void dialog.dismiss().then(() => done(true)));
  });
  await page.close({ runBeforeUnload: true });
  return Promise.race([closed, asked]);
}

async function warnings(world) {
  const context = await world.browser.newContext({ permissions: ["clipboard-write"] });
  await eachOf(["lost", "no_entry", "text", "error"], async (name) => {
    world.check(`${name}: nothing to lose`, !(await warns(await asked(world, name, { context }))));
  });
  await eachOf(["pending", "link", "code"], async (name) => {
    const page = await asked(world, name, { context });
    world.check(`${name} would be lost`, await warns(page));
    await page.click("hit-winner [part=keep]");
    world.check(`${name} is not kept yet`, await warns(page));
    await page.click("hit-winner [part=ticket] [part=copy]");
    await page.getByText("Copied.").waitFor();
    world.check(`${name} is kept`, !(await warns(page)));
  });
  const file = await asked(world, "pending", { context });
  await file.click("hit-winner [part=keep]");
  const download = file.waitForEvent("download");
  await file.click("hit-winner [part=download]");
  world.equal("a file", (await download).suggestedFilename(), "ticket-launch.txt");
  world.check("a file is kept too", !(await warns(file)));
  const copied = await asked(world, "code", { context });
  await copied.click("hit-winner [part=copy]");
  await copied.getByText("Copied.").waitFor();
  world.check("a code that was copied", !(await warns(copied)));
}

export const winner = [
  test("winner: axe in every state, light and dark, 320 px", looks),
  test("winner: what it says", says),
  test("winner: in the page's words and language, styled by it", words),
  test("winner: the page is told, and who listens", told),
  test("winner: by keyboard alone", keyboard),
  test("winner: celebrates unless less motion is wanted", motion),
  test("winner: warns only of what would be lost", warnings),
];
