// Takes the pictures of docs/screenshots: a first run, /try and a win there, by light and by dark,
// in a real browser against the program as it was built. `make screenshots` brings what it needs.
import { spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const program = process.env.NANDOLYTICS ?? path.join(root, "build/nandolytics");
const pictures = path.join(root, "docs/screenshots");
const { chromium } = createRequire(path.join(root, "web/package.json"))("playwright-core");
const wide = { width: 860, height: 620 };
const narrow = { width: 360, height: 620 };
const visits = 1234;

async function serve(folder) {
  const flags = ["--data", `${folder}/data`, "--run-dir", `${folder}/salts`, "--auto-sites"];
  const limits = ["--rate-limit-burst", "100000", "--listen", "127.0.0.1:8000"];
  const server = spawn(program, ["serve", ...flags, ...limits], { cwd: folder });
  let said = "";
  server.stdout.on("data", (bytes) => (said += bytes));
  for (let tries = 0; !said.includes("#set-up="); tries++) {
    if (tries > 200 || server.exitCode !== null) throw new Error(`no server: ${said}`);
    await new Promise((done) => setTimeout(done, 50));
  }
  const [[setUp], [at]] = [/http:\S+#set-up=\S+/, /http:\/\/[\d.:]+/].map((e) => e.exec(said));
  return { server, setUp, at };
}

async function visit(at, times) {
  for (let i = 0; i < times; i++) {
    const siteUrl = `https://blog.example.com/${i % 50}`;
    await fetch(`${at}/nandolytics/record`, { method: "POST", body: JSON.stringify({ siteUrl }) });
  }
}

async function take(page, name, height = wide.height) {
  for (const [colorScheme, size, end] of [
    ["light", wide, ""],
    ["dark", wide, "-dark"],
    ["light", narrow, "-narrow"],
  ]) {
    await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
    await page.setViewportSize({ ...size, height });
    await page.evaluate(() => scrollTo(0, 0));
    await page.screenshot({ path: path.join(pictures, `${name}${end}.png`) });
  }
}

const shows = (page, text) =>
  page.waitForFunction(
    (wanted) => document.querySelector("#number .said")?.textContent === wanted,
    text,
  );

async function firstRun(page, { setUp, at }) {
  await page.goto(setUp);
  await page.waitForSelector("#add:not([hidden])");
  await take(page, "first-run");
  await page.fill("#host", "blog.example.com");
  await page.check("#public");
  await page.keyboard.press("Enter");
  await page.waitForSelector("#site:not([hidden])");
  await page.click("#test");
  await shows(page, "1");
  await visit(at, visits - 1);
  await shows(page, visits.toLocaleString("en"));
  await page.waitForFunction(() => document.querySelector("#status").textContent === "");
  await take(page, "site");
}

async function tryPage(page, { at }) {
  await page.goto(`${at}/try`);
  await page.waitForFunction(() => /\d/.test(document.querySelector("#number").textContent));
  await take(page, "try");
  await win(page);
  await take(page, "try-won", 760);
}

/** Visits until one wins: of every three one does. */
async function win(page) {
  for (let tries = 0; tries < 100; tries++) {
    await page.click("hit-winner[state=ready] [part=button]");
    const answer = await page.waitForSelector("hit-winner:is([state=won], [state=lost])");
    if ((await answer.getAttribute("state")) === "won") return;
    await page.click("#next");
  }
  throw new Error("a hundred visits to /try, and none has won");
}

const folder = mkdtempSync(path.join(tmpdir(), "nandolytics-screenshots-"));
mkdirSync(pictures, { recursive: true });
const running = await serve(folder);
const executablePath = "/usr/bin/chromium";
// Left alone, it says that it is headless: a bot, and not counted.
const agent = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0";
const args = ["--no-sandbox", `--user-agent=${agent}`];
const browser = await chromium.launch({ executablePath, args });
try {
  const page = await browser.newPage();
  await firstRun(page, running);
  await tryPage(page, running);
  console.log(`screenshots: in ${path.relative(root, pictures)}`);
} finally {
  await browser.close();
  running.server.kill("SIGTERM");
  await new Promise((done) => running.server.once("exit", done));
  rmSync(folder, { recursive: true, force: true });
}
