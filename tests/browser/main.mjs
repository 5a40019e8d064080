// Runs every test of the files below in one Chromium, each in a context of its own, and counts.
import { createRequire } from "node:module";
import { existsSync } from "node:fs";

import { elements } from "./elements.mjs";
import { home } from "./home.mjs";
import { Program } from "./program.mjs";
import { Proxy } from "./proxy.mjs";
import { Site } from "./site.mjs";
import { storms } from "./storms.mjs";
import { surfaces } from "./surfaces.mjs";
import { tracker } from "./tracker.mjs";
import { trying } from "./try.mjs";

const require = createRequire(new URL("../../web/package.json", import.meta.url));
const { chromium } = require("playwright-core");
const names = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];
const testMsMax = 40_000;

// Left alone, Chromium says that it is headless: a bot, and not counted.
const linux = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko)";
const agent = `--user-agent=${linux} Chrome/140.0.0.0 Safari/537.36`;

/** What a test is given, and what it checks with. */
class World {
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

async function run(test, world) {
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
  const seconds = ((Date.now() - began) / 1000).toFixed(1);
  for (const failure of world.failures) console.log(`FAIL ${test.name}: ${failure}`);
  if (!world.failures.length) console.log(`ok ${test.name} (${seconds} s)`);
  return world.failures.length === 0;
}

async function main() {
  const wanted = process.argv[2] ?? "";
  const all = [...tracker, ...elements, ...surfaces, ...storms, ...home, ...trying];
  const tests = all.filter(({ name }) => name.includes(wanted));
  const executablePath = names.find(existsSync);
  if (!executablePath || !existsSync(Program.path)) {
    console.log(`FAIL there is no ${executablePath ? Program.path : "chromium"}`);
    return [0, tests.length];
  }
  const program = await Program.start("--auto-sites");
  const site = await Site.start(program);
  const proxy = await Proxy.start(program);
  // Playwright turns off what brings a page back as it was left; that is one of the tests.
  const browser = await chromium.launch({
    executablePath,
    args: ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", agent],
    ignoreDefaultArgs: ["--disable-back-forward-cache"],
  });
  let passed = 0;
  try {
    const world = new World(browser, program, site, proxy);
    Object.assign(world, { executablePath, agent });
    for (const test of tests) passed += (await run(test, world)) ? 1 : 0;
  } finally {
    await browser.close();
    site.stop();
    proxy.stop();
    await program.remove();
  }
  return [passed, tests.length - passed];
}

const [passed, failed] = await main();
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed || !passed ? 1 : 0);
