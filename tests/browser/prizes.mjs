// The whole story on pages of another origin, against the program: a promotion is opened, views
// enter, the button is pressed, a ticket is kept and claimed later.
import { readFileSync } from "node:fs";

import { state } from "./winner.mjs";

const test = (name, body) => ({ name, body });

/** A page with the button of a promotion that is open for this page alone. */
function promote(world, name, rules, more = {}) {
  const { site, program } = world;
  const body = `<hit-winner promotion="${name}">Did I win?</hit-winner>`;
  const path = site.page(`/${name}`, { body, ...more });
  program.promote(`name = "${name}"
site = "127.0.0.1"
pages = ["${path}"]
${rules}`);
  return path;
}

/** Each second view wins, also of one visitor. */
const everySecond = `closes = 2099-12-31T00:00:00Z
[win]
rule = "every"
every = 2
[who]
visitor = 0
ipv4_24 = 0
`;

const lasts = (seconds) => new Date(Date.now() + seconds * 1000).toISOString();

async function ask(page) {
  await state(page, "ready");
  const answer = page.waitForResponse((response) => response.url().endsWith("/api/v1/claims"));
  await page.click("hit-winner [part=button]");
  return (await answer).json();
}

const text = (page) => page.locator("hit-winner [part=answer]").innerText();

async function siteIsThere(world) {
  const url = world.site.at("/first");
  await world.program.hit(url);
  await world.until("its site is there", async () => (await world.count(url)) > 0);
}

async function lostAndWon(world) {
  await siteIsThere(world);
  const codes = world.program.file("codes.txt", "NANDO-AAAA\nNANDO-BBBB\n");
  const prize = `[prize]\nkind = "code"\nsays = "A third off, once"\ncodes = "${codes}"\n`;
  const path = promote(world, "story", everySecond + prize);
  const page = await world.open(await world.context(), path);
  const lost = await ask(page);
  await state(page, "lost");
  world.equal("which hit it was", await text(page), "Not this time: you were hit 1.");
  world.equal("and why not", lost.reason, "not_drawn");

  await page.reload();
  const won = await ask(page);
  await state(page, "won");
  world.equal("the second wins", [won.won, won.hit, won.entry], [true, 2, 2]);
  const code = await page.inputValue("hit-winner [part=code]");
  world.check("a code of the list", /^NANDO-(AAAA|BBBB)$/.test(code), code);
  const again = page.waitForResponse((response) => response.url().endsWith("/api/v1/claims"));
  await page.click("hit-winner [part=button]");
  const same = await (await again).json();
  world.equal("asked again, the same", { ...same, duplicate: false }, won);
  await state(page, "won");
  world.equal("and the same code", await page.inputValue("hit-winner [part=code]"), code);
}

async function keptTicket(world) {
  await siteIsThere(world);
  // Sealed, so that nobody knows until it is revealed; with one entry, that one wins.
  const known = lasts(5);
  const rules = `closes = ${lasts(4)}
claim_within = "1 days"
[win]
rule = "sealed"
outside = "what the test says"
outside_at = ${known}
[prize]
kind = "text"
says = "A mug, and our thanks"
`;
  const path = promote(world, "sealed", rules);
  const context = await world.context();
  const page = await world.open(context, path);
  const pending = await ask(page);
  await state(page, "pending");
  world.equal("not yet", [pending.won, pending.reason], [null, "pending"]);
  world.equal("but then", pending.known_at, known);
  await page.click("hit-winner [part=keep]");
  const link = await page.inputValue("hit-winner [part=ticket-link]");
  const download = page.waitForEvent("download");
  await page.click("hit-winner [part=download]");
  const buffer = readFileSync(await (await download).path());
  await context.close();

  await world.until("it may be revealed", async () => Date.now() > Date.parse(known));
  world.program.command("promotion", "reveal", "sealed", "--value", "heads");
  const later = await (await world.context()).newPage();
  await later.goto(link);
  await state(later, "won");
  world.check("it won", (await text(later)).includes("A mug, and our thanks"), await text(later));
  world.equal("the ticket left the address", later.url(), world.site.at(path));
  world.equal("and the page was counted as itself", await world.count(world.site.at(path)), 2);

  const other = await world.open(await world.context(), path);
  await state(other, "ready");
  const file = { name: "ticket.txt", mimeType: "text/plain", buffer };
  await other.setInputFiles("hit-winner [type=file]", file);
  await state(other, "won");
  world.check("so says the file", (await text(other)).includes("A mug"), await text(other));
}

/** Where crypto.subtle is not: a page on plain http that is not this machine's. */
async function plainHttp(world) {
  const { site, program } = world;
  const origin = site.origin.replace("127.0.0.1", "plain.example");
  await program.hit(`${origin}/first`);
  await world.until("its site is there", async () => (await world.count(`${origin}/first`)) > 0);
  const body = `<hit-winner promotion="plain">Did I win?</hit-winner>`;
  site.page("/plain-http", { body, via: program.address.replace("127.0.0.1", "stats.example") });
  const rules = everySecond.replace("every = 2", "every = 1");
  program.promote(`name = "plain"\nsite = "plain.example"\n${rules}
[prize]\nkind = "text"\nsays = "Hooray"\n`);
  const page = await (await world.context()).newPage();
  await page.goto(`${origin}/plain-http`);
  world.equal("no crypto.subtle", await page.evaluate("typeof crypto.subtle"), "undefined");
  const answer = await ask(page);
  await state(page, "won");
  world.equal("its secret is good", answer.won, true);
  await page.click("hit-winner [part=keep]");
  await page.click("hit-winner [part=ticket] [part=copy]");
  await page.getByText("Copied.").waitFor();
}

async function noEntry(world) {
  await siteIsThere(world);
  const rules = everySecond.replace("visitor = 0", "visitor = 1");
  const path = promote(world, "once", `${rules}[prize]\nkind = "text"\nsays = "x"\n`);
  const context = await world.context();
  const first = await ask(await world.open(context, path));
  world.equal("the first enters", first.entry, 1);
  const page = await world.open(context, path);
  await ask(page);
  await state(page, "no_entry");
  world.equal("the second does not", await text(page),
              "You were hit 2, but this visit is not in the draw.");
}

async function wrongSecret(world) {
  await siteIsThere(world);
  const path = promote(world, "wrong", `${everySecond}[prize]\nkind = "text"\nsays = "x"\n`);
  const page = await world.open(await world.context(), path);
  await ask(page);
  await state(page, "lost");
  const receipt = "A".repeat(192);
  await page.evaluate((hash) => (location.hash = hash),
                      `hit-winner=${receipt}.${"s".repeat(22)}.wrong`);
  await state(page, "refused");
}

async function closedSite(world) {
  const { site, program } = world;
  const host = "closed.example";
  program.command("site", "add", host);
  const origin = site.origin.replace("127.0.0.1", host);
  site.page("/closed", { body: "<hit-winner>Did I win?</hit-winner>" });
  const page = await (await world.context()).newPage();
  await page.goto(`${origin}/closed`);
  await state(page, "unknown");
  world.equal("it says so", await text(page), "This page cannot tell whether you won.");
}

export const prizes = [
  test("prizes: lost, won, and the same answer twice", lostAndWon),
  test("prizes: a ticket is kept, and claimed later", keptTicket),
  test("prizes: on a plain http page", plainHttp),
  test("prizes: a second view of one visitor", noEntry),
  test("prizes: a ticket that is not one", wrongSecret),
  test("prizes: a site whose counts are closed", closedSite),
];
