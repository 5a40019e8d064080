// What a test is given, and how one is run.
import { Program } from "./program.mjs";

const testMsMax = 40_000;

/** What a test is given, and what it checks with. */
export class World {
  failures = [];

  constructor(browser, program, site, proxy) {
    Object.assign(this, { browser, program, site, proxy });
  }

  /** A page that a test opens; what goes wrong on it is a failure, refused requests excepted. */
  async open(context, path) {
    const page = await context.newPage();
    page.on("pageerror", (error) => this.failures.push(`an error on ${path}: ${error.message}`));
    await page.goto(this.site.at(path));
    return page;
  }

  /**
   * On a page of that server errors are failures, and what its console says too, but of a refusal,
   * which the page shows, and of a server that the test itself has taken away.
   */
  hear(page, program) {
    page.on("pageerror", (error) => this.failures.push(`an error: ${error.message}`));
    page.on("console", (said) => {
      const text = said.text();
      if (/status of 4\d\d/.test(text)) return;
      if (/net::ERR_/.test(text) && program.wasKilled) return;
      this.failures.push(`the console says ${text}`);
    });
    return page;
  }

  context() {
    return this.browser.newContext();
  }

  /** Its pages wait a fiftieth of what they mean to, so that hundreds of retries take seconds. */
  async hurriedContext() {
    const context = await this.context();
    await context.addInitScript(() => {
      const { setTimeout } = window;
      window.setTimeout = (then, ms, ...more) => setTimeout(then, ms / 50, ...more);
    });
    return context;
  }

  check(what, holds, said = "") {
    if (!holds) this.failures.push(`${what}${said === "" ? "" : `: ${said}`}`);
  }

  equal(what, got, wanted) {
    const [one, other] = [JSON.stringify(got), JSON.stringify(wanted)];
    this.check(what, one === other, `${one}, not ${other}`);
  }

  /** Waits for what must become true; fails when it does not. */
  async until(what, condition, ms = 15_000) {
    const end = Date.now() + ms;
    let last;
    while (Date.now() < end) {
      if (await condition().catch((error) => void (last = error.message))) return;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    throw new Error(`it did not come to pass: ${what}${last ? ` (${last})` : ""}`);
  }

  async count(url) {
    const [{ page }] = await this.program.counts([url]);
    return page;
  }

  counted(path, wanted = 1) {
    const url = this.site.at(path);
    const reached = async () => (await this.count(url)) === wanted;
    return this.until(`${path} is counted ${wanted} times`, reached);
  }
}

/** Runs one test, and leaves a program that counts for the next, whatever became of this one's. */
export async function run(test, world) {
  const began = Date.now();
  world.failures = [];
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error("it takes too long")), testMsMax);
  });
  try {
    await Promise.race([test.body(world), late]);
  } catch (error) {
    world.failures.push(error.message);
  }
  clearTimeout(timer);
  await Promise.all(world.browser.contexts().map((context) => context.close()));
  world.proxy.reset();
  world.failures.push(...Program.takeDeaths());
  if (!world.program.isUp) await world.program.restart();
  const seconds = ((Date.now() - began) / 1000).toFixed(1);
  return { failures: world.failures, seconds };
}
