// /try: a page that counts itself, shows its number, and the number that moves.
import { everyLook } from "./looks.mjs";
import { Program } from "./program.mjs";

const test = (name, body) => ({ name, body });

async function openTry(world, context, program, path = "/try") {
  const page = world.hear(await context.newPage(), program);
  await page.goto(program.address + path);
  return page;
}

const number = (page, wanted) =>
  page.waitForFunction(
    (text) => document.querySelector("#number")?.textContent === text,
    wanted,
  );

const soFar = (page, wanted) =>
  page.waitForFunction(
    (text) => document.querySelector("hit-count")?.shadowRoot?.textContent === text,
    wanted,
  );

async function countsItself(world) {
  const program = await Program.start("--auto-sites");
  try {
    const context = await world.context();
    const page = await openTry(world, context, program);
    await number(page, "1");
    world.equal("it says so", await page.textContent("#text"), "Counted once, and kept.");
    world.equal("with a receipt", (await page.textContent("#receipt")).length, 192);
    await soFar(page, "1");
    await page.click("#again");
    await page.waitForFunction(() => document.body.innerText.includes("Asked again"));
    await number(page, "1");
    await page.click("#next");
    await number(page, "2");
    const other = await openTry(world, context, program);
    await number(other, "3");
    await page.bringToFront();
    await soFar(page, "3");
    await number(page, "2");
    await program.kill();
    await program.restart();
    await page.reload();
    await number(page, "4");
  } finally {
    await program.remove();
  }
}

async function withoutScript(world) {
  const program = await Program.start("--auto-sites");
  try {
    const context = await world.browser.newContext({ javaScriptEnabled: false });
    const page = await openTry(world, context, program);
    const text = await page.innerText("body");
    world.check("it says so", text.includes("a pixel has counted this visit"));
    const url = `${program.address}/try`;
    await world.until("a pixel has counted it", async () => {
      const [{ page: count }] = await program.counts([url]);
      return count === 1;
    });
  } finally {
    await program.remove();
  }
}

async function belowAPath(world) {
  const program = await Program.start("--auto-sites", "--public-url", "http://127.0.0.1/stats");
  try {
    const page = await openTry(world, await world.context(), program, "/stats/try");
    await number(page, "1");
    await soFar(page, "1");
    const shell = await page.textContent("#shell");
    world.check("its commands name that path", shell.includes("/stats/nandolytics/record"));
  } finally {
    await program.remove();
  }
}

async function refused(world) {
  const program = await Program.start();
  try {
    const page = await openTry(world, await world.context(), program);
    await number(page, "\u2013");
    const text = await page.textContent("#text");
    world.check("what to do", text.includes("nandolytics site add"), text);
    world.check("no number is promised", await page.isHidden("#so-far"));
    program.command("site", "add", "127.0.0.1");
    await page.reload();
    await number(page, "\u2713");
    world.check("nor of a closed site", await page.isHidden("#so-far"));
  } finally {
    await program.remove();
  }
}

/** In each window of three one visit wins, so after three of them exactly one has. */
async function draws(world) {
  const program = await Program.start("--auto-sites");
  try {
    const page = await openTry(world, await world.context(), program);
    await number(page, "1");
    world.equal("the odds", await page.textContent("#odds"), "Of every 3 visits one is drawn.");
    const won = [];
    for (const visit of [1, 2, 3]) {
      await page.click("hit-winner[state=ready] [part=button]");
      const answer = await page.waitForSelector("hit-winner:is([state=won], [state=lost])");
      won.push((await answer.getAttribute("state")) === "won");
      const said = await page.locator("hit-winner [part=answer]").innerText();
      const wanted = won.at(-1) ? "You won!" : `you were hit ${visit}.`;
      world.check(`visit ${visit} is told`, said.includes(wanted), said);
      await everyLook(world, page, wanted);
      if (visit < 3) await page.click("#next");
      if (visit < 3) await number(page, String(visit + 1));
    }
    world.equal("one has won", won.filter(Boolean).length, 1);
    await page.click("#fair summary");
    const proof = await page.getAttribute("#proof", "href");
    const wanted = String(won.indexOf(true) + 1);
    await world.until("what is published says who", async () => {
      const { windows } = await (await fetch(proof)).json();
      return windows[0]?.winners.join() === wanted;
    });
  } finally {
    await program.remove();
  }
}

export const trying = [
  test("try: of every three visits one wins, and all can check it", draws),
  test("try: counts itself, once an id, and moves with others", countsItself),
  test("try: without script a pixel counts", withoutScript),
  test("try: below the path of public_url", belowAPath),
  test("try: a site that is not counted, or closed", refused),
];
