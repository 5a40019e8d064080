// The site that is counted: pages as the tests write them, on an origin of its own.
import { createServer } from "node:http";
import { once } from "node:events";

export class Site {
  /** Paths that were asked for, in order. */
  asked = [];
  #pages = new Map();
  #server;
  #program;

  static async start(program) {
    const site = new Site();
    site.#program = program;
    site.#server = createServer((request, response) => {
      const { pathname } = new URL(request.url, "http://x");
      const page = site.#pages.get(pathname);
      site.asked.push(pathname);
      const status = page ? 200 : 404;
      response.writeHead(status, { "Content-Type": "text/html", ...page?.headers });
      response.end(page?.html ?? "");
    });
    site.#server.listen(0, "127.0.0.1");
    await once(site.#server, "listening");
    return site;
  }

  stop() {
    this.#server.closeAllConnections();
    this.#server.close();
  }

  get origin() {
    return `http://127.0.0.1:${this.#server.address().port}`;
  }

  at(path) {
    return this.origin + path;
  }

  /** A page with the tracker, from the program or from `via`; with more in head and body. */
  page(path, { via = this.#program.address, data = "", head = "", body = "", headers = {} } = {}) {
    const script = `<script defer ${data} src="${via}/js/nando.js"></script>`;
    this.plain(path, `${script}${head}`, body, headers);
    return path;
  }

  plain(path, head = "", body = "", headers = {}) {
    const start = '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>x</title>';
    const icon = '<link rel="icon" href="data:,">';
    const html = `${start}${icon}${head}</head><body>${body}</body></html>`;
    this.#pages.set(path, { html, headers });
    return path;
  }
}
