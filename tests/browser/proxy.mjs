// A proxy before the program that does to hits what networks do: holds them, loses their answers,
// sends them twice. Everything else passes.
import { createServer, request as ask } from "node:http";
import { once } from "node:events";

export class Proxy {
  /** Hits that came, oldest first: their bodies, parsed, and their headers. */
  hits = [];
  #program;
  #server;
  #treat;
  #busy = 0;

  static async start(program) {
    const proxy = new Proxy();
    proxy.#program = program;
    proxy.reset();
    proxy.#server = createServer((request, response) => void proxy.#serve(request, response));
    proxy.#server.listen(0, "127.0.0.1");
    await once(proxy.#server, "listening");
    return proxy;
  }

  stop() {
    this.#server.closeAllConnections();
    this.#server.close();
  }

  get address() {
    return `http://127.0.0.1:${this.#server.address().port}`;
  }

  /** `treat(hit, pass)` says what becomes of a hit; `pass(hit)` is the program's answer to it. */
  treat(treat) {
    this.#treat = treat;
  }

  /** Returns when nothing is under way. */
  async idle() {
    while (this.#busy) await new Promise((resolve) => setTimeout(resolve, 10));
  }

  reset() {
    this.hits = [];
    this.#treat = (hit, pass) => pass(hit);
  }

  async #serve(request, response) {
    if (!request.url.endsWith("/hits")) return this.#pipe(request, response);
    let answer;
    this.#busy++;
    try {
      const hit = JSON.parse(await textOf(request));
      this.hits.push({ ...hit, headers: request.headers });
      answer = await this.#treat(hit, (each) => this.#pass(request, JSON.stringify(each)));
    } catch {
      answer = undefined;
    }
    this.#busy--;
    if (!answer) return request.socket.destroy(); // Lost.
    response.writeHead(answer.status, answer.headers);
    response.end(answer.body);
  }

  #ask({ method, url, headers }) {
    const { "content-length": _, host: __, connection: ___, ...others } = headers;
    const { port } = this.#program;
    return ask({ host: "127.0.0.1", port, method, path: url, headers: others });
  }

  #pass(request, body) {
    return new Promise((resolve, reject) => {
      const asked = this.#ask(request);
      asked.on("error", reject);
      asked.on("response", async (answer) => {
        const { statusCode: status, headers } = answer;
        resolve({ status, headers, body: await textOf(answer) });
      });
      asked.end(body);
    });
  }

  #pipe(request, response) {
    const asked = this.#ask(request);
    asked.on("error", () => request.socket.destroy());
    asked.on("response", (answer) => {
      response.writeHead(answer.statusCode, answer.headers);
      answer.pipe(response);
    });
    response.on("close", () => asked.destroy());
    request.pipe(asked);
  }
}

async function textOf(stream) {
  const chunks = [];
  for await (const chunk of stream) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}
