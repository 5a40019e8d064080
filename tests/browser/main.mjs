// Runs every test of the files below in one Chromium, each in a context of its own, and counts. The
// last line says how many passed, whatever happens.
import { createRequire } from "node:module";
import { existsSync } from "node:fs";

import { elements } from "./elements.mjs";
import { home } from "./home.mjs";
import { late } from "./late.mjs";
import { prizes } from "./prizes.mjs";
import { Program } from "./program.mjs";
import { Proxy } from "./proxy.mjs";
import { selves } from "./selves.mjs";
import { Site } from "./site.mjs";
import { storms } from "./storms.mjs";
import { surfaces } from "./surfaces.mjs";
import { tracker } from "./tracker.mjs";
import { trying } from "./try.mjs";
import { views } from "./views.mjs";
import { winner } from "./winner.mjs";
import { run, World } from "./world.mjs";

const require = createRequire(new URL("../../web/package.json", import.meta.url));
const { chromium } = require("playwright-core");
const names = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];

// Left alone, Chromium says that it is headless: a bot, and not counted.
const linux = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko)";
const agent = `--user-agent=${linux} Chrome/140.0.0.0 Safari/537.36`;

// Pages and servers that are not this machine by name, so that plain http is plain http there.
const hosts = "--host-resolver-rules=MAP *.example 127.0.0.1";

function tell({ name }, { failures, seconds }) {
  for (const failure of failures) console.log(`FAIL ${name}: ${failure}`);
  if (!failures.length) console.log(`ok ${name} (${seconds} s)`);
  return failures.length === 0;
}

/** Counts into `result` as it goes, so that what ends it early does not take that along. */
async function runAll(tests, executablePath, result) {
  const program = await Program.start("--auto-sites");
  const site = await Site.start(program);
  const proxy = await Proxy.start(program);
  // Playwright turns off what brings a page back as it was left; that is one of the tests.
  const browser = await chromium.launch({
    executablePath,
    args: ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", agent, hosts],
    ignoreDefaultArgs: ["--disable-back-forward-cache"],
  });
  try {
    const world = new World(browser, program, site, proxy);
    Object.assign(world, { executablePath, agent });
    for (const test of tests) if (tell(test, await run(test, world))) result.passed++;
  } finally {
    await browser.close();
    site.stop();
    proxy.stop();
    await program.remove();
  }
}

async function main() {
  const wanted = process.argv[2] ?? "";
  const ofElements = [elements, winner, views, prizes];
  const files = [tracker, ofElements, surfaces, storms, home, late, trying, selves];
  const tests = files.flat(2).filter(({ name }) => name.includes(wanted));
  const executablePath = names.find(existsSync);
  const result = { passed: 0 };
  try {
    if (!executablePath) throw new Error("there is no chromium");
    if (!existsSync(Program.path)) throw new Error(`there is no ${Program.path}`);
    await runAll(tests, executablePath, result);
  } catch (error) {
    console.log(`FAIL the tests ended early: ${error.message}`);
    return [result.passed, Math.max(1, tests.length - result.passed)];
  }
  return [result.passed, tests.length - result.passed];
}

const [passed, failed] = await main();
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed || !passed ? 1 : 0);
