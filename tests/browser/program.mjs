// The program on a data directory of its own: started, killed, and started again on its port.
import { execFileSync, spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { once } from "node:events";
import { tmpdir } from "node:os";
import path from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../..", import.meta.url));
const unlimited = "1000000000";
const stderrKept = 2000;

export class Program {
  static path = path.resolve(process.env.NANDOLYTICS ?? path.join(root, "build/nandolytics"));

  static #deaths = [];

  /** What is to be said of programs that ended without having been told to; once. */
  static takeDeaths() {
    return Program.#deaths.splice(0);
  }

  static async start(...flags) {
    const program = new Program();
    program.#flags = flags;
    try {
      await program.restart();
    } catch (error) {
      await program.remove();
      throw error;
    }
    return program;
  }

  #folder = mkdtempSync(path.join(tmpdir(), "nandolytics-browser-"));
  #flags = [];
  #process;
  #killed = new WeakSet();
  #setUp;
  port = 0;

  get address() {
    return `http://127.0.0.1:${this.port}`;
  }

  /** Returns when it counts, on the port that it had before. */
  async restart() {
    const own = Object.entries(process.env).filter(([name]) => !name.startsWith("NANDOLYTICS"));
    const options = {
      "--data": path.join(this.#folder, "data"),
      "--run-dir": path.join(this.#folder, "salts"),
      "--listen": `127.0.0.1:${this.port}`,
      "--journal-segment-bytes": "1048576",
      "--rate-limit-hits-per-second": unlimited,
      "--rate-limit-burst": unlimited,
    };
    const flags = [...Object.entries(options).flat(), ...this.#flags];
    const child = spawn(Program.path, ["serve", ...flags], {
      cwd: this.#folder,
      env: Object.fromEntries(own),
      stdio: ["ignore", "pipe", "pipe"],
    });
    this.#process = child;
    let said = "";
    child.stderr.on("data", (bytes) => (said = (said + bytes).slice(-stderrKept)));
    const ended = new Promise((_, reject) => {
      child.on("exit", (code, signal) => {
        const death = new Error(`the program died of ${signal ?? code}: ${said.trim()}`);
        if (!this.#killed.has(child)) Program.#deaths.push(death.message);
        reject(death);
      });
    });
    ended.catch(() => {}); // Whoever waits for its first line is told; later it is a death.
    const lines = createInterface(child.stdout);
    this.#setUp = new Promise((found) => {
      lines.on("line", (line) => {
        const address = /http:\S+#set-up=\S+/.exec(line);
        if (address) found(address[0]);
      });
    });
    const [line] = await Promise.race([once(lines, "line"), ended]);
    this.port = Number(/http:\/\/127\.0\.0\.1:(\d+)/.exec(line)[1]);
  }

  /** The address that a start without an owner prints. */
  setUpAddress() {
    return this.#setUp;
  }

  command(...words) {
    const folder = path.join(this.#folder, "data");
    return execFileSync(Program.path, [...words, "--data", folder], { encoding: "utf8" });
  }

  /** A file in its folder, of which the path is returned. */
  file(name, text) {
    const file = path.join(this.#folder, name);
    writeFileSync(file, text);
    return file;
  }

  /** Opens a promotion by its rules. */
  promote(rules) {
    return this.command("promotion", "add", this.file("promotion.toml", rules));
  }

  /** Whether the process is there; one that died without being killed is not. */
  get isUp() {
    return this.#process.exitCode === null && this.#process.signalCode === null;
  }

  /** Whether a test has killed it, be it up again or not: its pages may have lost it since. */
  wasKilled = false;

  async kill() {
    if (!this.isUp) return;
    this.wasKilled = true;
    const ended = once(this.#process, "exit");
    this.#killed.add(this.#process);
    this.#process.kill("SIGKILL");
    await ended;
  }

  /** Ends it as a crash would: the test has not said so. */
  crash() {
    this.#process.kill("SIGKILL");
  }

  async remove() {
    await this.kill();
    rmSync(this.#folder, { recursive: true, force: true });
  }

  async counts(urls) {
    const query = urls.map((url) => `url=${encodeURIComponent(url)}`).join("&");
    const answer = await fetch(`${this.address}/api/v1/counts?${query}`);
    const { counts } = await answer.json();
    if (!counts) return urls.map(() => ({ page: 0, site: 0 })); // A site that is not there yet.
    return counts;
  }

  async hit(url) {
    await fetch(`${this.address}/api/v1/hits`, { method: "POST", body: JSON.stringify({ url }) });
  }

  /** How many streams of numbers are open. */
  async listeners() {
    const text = await (await fetch(`${this.address}/metrics`)).text();
    const rows = text.matchAll(/^nandolytics_live_listeners(?:\{.*\})? (\d+)/gm);
    return [...rows].reduce((sum, [, count]) => sum + Number(count), 0);
  }
}
