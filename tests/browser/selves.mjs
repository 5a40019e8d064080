// The tests themselves, where something goes wrong with what they test.
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";

import { Program } from "./program.mjs";
import { run, World } from "./world.mjs";

const test = (name, body) => ({ name, body });

async function died(world) {
  const program = await Program.start("--auto-sites");
  const browser = { contexts: () => [] };
  const inner = new World(browser, program, world.site, { reset() {} });
  const crash = test("inner", async () => {
    program.crash();
    await world.until("it is gone", async () => !program.isUp);
    await program.kill();
  });
  try {
    const { failures } = await run(crash, inner);
    world.equal("one failure", failures.length, 1);
    world.check("its death is told", failures.join().includes("died of SIGKILL"), failures.join());
    const url = world.site.at("/after");
    await program.hit(url);
    await world.until("the next test has one", async () => {
      const [{ page }] = await program.counts([url]);
      return page === 1;
    });
    world.equal("nothing is told of it", (await run(test("next", () => {}), inner)).failures, []);
  } finally {
    await program.remove();
  }
}

/** A page that loses its server complains; it is a failure unless the test took the server away. */
async function losesItsServer(world) {
  const program = await Program.start("--auto-sites");
  const inner = new World(world.browser, program, world.site, world.proxy);
  const page = inner.hear(await (await world.context()).newPage(), program);
  const loses = async (end) => {
    await end();
    await world.until("it is gone", async () => !program.isUp);
    const heard = page.waitForEvent("console", (said) => said.text().includes("net::ERR_"));
    await page.evaluate(() => fetch("/healthz").catch(() => {}));
    await heard;
    return inner.failures.splice(0);
  };
  try {
    await page.goto(`${program.address}/try`);
    await page.waitForFunction(() => document.querySelector("#number")?.textContent === "1");
    const [told] = await loses(async () => program.crash());
    world.check("a crash is told", told?.includes("net::ERR_"), told);
    Program.takeDeaths();
    await program.restart();
    world.equal("a server that is taken away is not", await loses(() => program.kill()), []);
    await page.evaluate(() => console.error("something else"));
    await world.until("what else is said is told", async () =>
      inner.failures.some((failure) => failure.includes("something else")),
    );
  } finally {
    await program.remove();
  }
}

async function refusesToStart(world) {
  const said = await Program.start("--no-such-flag").catch(({ message }) => message);
  world.check("what it said is told", /died of \d+: .*no-such-flag/s.test(said), said);
  Program.takeDeaths();
}

async function endsEarly(world) {
  const main = fileURLToPath(new URL("main.mjs", import.meta.url));
  const env = { ...process.env, NANDOLYTICS: "/bin/false" };
  const { stdout, status } = spawnSync(process.execPath, [main, "the script twice"], { env });
  const lines = String(stdout).trim().split("\n");
  world.equal("the last line", lines.at(-1), "0 passed, 1 failed");
  world.check("and why", lines[0].includes("the program died of 1"), lines[0]);
  world.equal("it is red", status, 1);
}

export const selves = [
  test("selves: a program that died is told, and is there for the next", died),
  test("selves: a page that loses its server", losesItsServer),
  test("selves: a program that does not start says why", refusesToStart),
  test("selves: the last line counts, whatever happens", endsEarly),
];
