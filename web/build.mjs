// Builds what browsers get, and the C++ table that carries it in the program:
//
//   node web/build.mjs OUTPUT
//
//   tracker/nando.ts         /js/nando.js, the one name that never changes
//   elements/TAG.ts          /js/TAG-HASH.js, one HASH for all, which nando.js learns here
//   pages/NAME/index.html    /NAME, its parts /assets/NAME-HASH.js and so on
//   pages/home/index.html    /
//
// OUTPUT gets the files below `served/` and `assets.cc`, which src/assets/assets.h explains. Types
// are checked first; what is over its size fails the build.
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";

const web = path.dirname(fileURLToPath(import.meta.url));
const pages = path.join(web, "pages");

const tags = ["hit-count", "hit-winner"];

// Bytes gzipped: a limit is under it, not at it.
const limits = [
  { name: /^\/js\/nando\.js$/, below: 700 },
  { name: /^\/js\/hit-count-.*\.js$/, below: 2500 },
  { name: /^\/js\/hit-winner-.*\.js$/, below: 4500 },
];

const contentTypes = {
  ".css": "text/css; charset=utf-8",
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".json": "application/json",
  ".png": "image/png",
  ".svg": "image/svg+xml",
  ".webp": "image/webp",
  ".woff2": "font/woff2",
};

function fail(why) {
  console.error(`web: ${why}`);
  process.exit(1);
}

function checkTypes() {
  const compiler = createRequire(import.meta.url).resolve("typescript/bin/tsc");
  const options = ["--noEmit", "--pretty", "false", "-p", web];
  if (spawnSync(process.execPath, [compiler, ...options], { stdio: "inherit" }).status !== 0) {
    fail("types do not check");
  }
}

/** What every build here has in common; none reads a configuration file or writes to disk. */
const common = (root) => ({
  root,
  base: "./",
  configFile: false,
  envDir: false,
  publicDir: false,
  logLevel: "warn",
  build: {
    write: false,
    reportCompressedSize: false,
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
  },
});

/** One script in one piece. */
async function buildScript(vite, entry, { target, format, define = {} }) {
  const config = common(path.dirname(path.join(web, entry)));
  const built = await vite.build({
    ...config,
    define,
    build: {
      ...config.build,
      target,
      rolldownOptions: {
        input: path.join(web, entry),
        output: { format, entryFileNames: "[name].js" },
      },
    },
  });
  const [script, ...more] = built.output;
  if (more.length) fail(`${entry} is built in ${1 + more.length} pieces; it must be one`);
  const code = script.code.trim();
  const text = format === "iife" ? asBlock(entry, code) : code;
  return { name: `/js/${script.fileName}`, bytes: Buffer.from(text) };
}

/** A block instead of a function: ten bytes fewer, in what every page of somebody else loads. */
function asBlock(entry, code) {
  const [, inner] = /^\(function\(\)\{var (.*)\}\)\(\);$/s.exec(code) ?? [];
  // Of what else a block would let out there is nothing.
  if (!inner || /\b(var|function|return)\b/.test(inner)) fail(`${entry} cannot be made a block`);
  return `{let ${inner.replace(/;$/, "")}}`;
}

/** Every folder in pages/ that has an index.html, and what they need. */
async function buildPages(vite) {
  const found = readdirSync(pages).map((name) => [name, path.join(pages, name, "index.html")]);
  const config = common(pages);
  const built = await vite.build({
    ...config,
    build: {
      ...config.build,
      rolldownOptions: {
        input: Object.fromEntries(found.filter(([, index]) => existsSync(index))),
        output: {
          entryFileNames: "assets/[name]-[hash].js",
          chunkFileNames: "assets/[name]-[hash].js",
          assetFileNames: "assets/[name]-[hash][extname]",
        },
      },
    },
  });
  return built.output.map(({ fileName, code, source }) =>
    fileName.endsWith(".html")
      ? page(fileName, String(source))
      : { name: `/${fileName}`, bytes: Buffer.from(code ?? source) },
  );
}

/** Pages are served one level above where they are built, so their links lose one step up. */
function page(fileName, html) {
  const name = path.dirname(fileName);
  if (/<script(?![^>]*\ssrc=)|<style|\sstyle=|\son\w+=/i.test(html)) {
    fail(`pages/${name}: something inline, which the page's own policy would refuse`);
  }
  const text = html.replaceAll("../assets/", "assets/").replaceAll(" crossorigin", "");
  return { name: name === "home" ? "/" : `/${name}`, bytes: Buffer.from(text), type: ".html" };
}

const hashOf = (bytes, length) => createHash("sha256").update(bytes).digest("hex").slice(0, length);

async function buildAll() {
  const vite = await import("vite");
  const options = { target: "es2022", format: "es" };
  const elements = await Promise.all(
    tags.map((tag) => buildScript(vite, `elements/${tag}.ts`, options)),
  );
  const hash = hashOf(Buffer.concat(elements.map(({ bytes }) => bytes)), 6);
  for (const element of elements) element.name = element.name.replace(".js", `-${hash}.js`);
  const tracker = await buildScript(vite, "tracker/nando.ts", {
    target: "es2020",
    format: "iife",
    define: { HASH: JSON.stringify(hash) },
  });
  return [tracker, ...elements, ...(await buildPages(vite))];
}

/** What assets.cc says about a file; gzipped only where that is shorter. */
function describe({ name, bytes, type }) {
  const extension = type ?? path.extname(name);
  const contentType = contentTypes[extension];
  if (!contentType) fail(`${name}: no content type is known; name one in web/build.mjs`);
  const packed = gzipSync(bytes, { level: 9 });
  const size = packed.length;
  for (const { name: limited, below } of limits) {
    if (limited.test(name) && size >= below) {
      fail(`${name} has ${size} bytes gzipped, ${size - below + 1} too many: under ${below}`);
    }
  }
  const caching = type === ".html" ? "never" : name === "/js/nando.js" ? "revalidate" : "forever";
  const etag = hashOf(bytes, 16);
  return { name, bytes, contentType, caching, etag, packed: size < bytes.length ? packed : null };
}

/** A file on disk that the assembler takes in as it is, which costs the compiler nothing. */
function embed(symbol, file) {
  const words = [".section .rodata", `.global ${symbol}`, `${symbol}:`, `.incbin "${file}"`];
  const text = [...words, ".previous", ""].join("\n");
  return [`asm(${JSON.stringify(text)});`, `extern "C" const char ${symbol}[];`];
}

function write(output, assets) {
  const served = path.join(output, "served");
  rmSync(served, { recursive: true, force: true });
  mkdirSync(served, { recursive: true });
  const lines = ["// Made by web/build.mjs.", '#include "assets/assets.h"', ""];
  const rows = assets.map((asset, at) => {
    const [plain, packed] = [`nando_asset_${at}`, `nando_asset_${at}_gzip`];
    const file = path.join(served, String(at));
    writeFileSync(file, asset.bytes);
    lines.push(...embed(plain, file));
    if (asset.packed) {
      writeFileSync(`${file}.gz`, asset.packed);
      lines.push(...embed(packed, `${file}.gz`));
    }
    const quoted = [asset.name, asset.contentType, `"${asset.etag}"`];
    const texts = quoted.map((each) => JSON.stringify(each));
    const bytes = `{${plain}, ${asset.bytes.length}}`;
    const gzip = asset.packed ? `{${packed}, ${asset.packed.length}}` : "{}";
    const caching = `Caching::${asset.caching}`;
    return `    {${[texts[0], texts[1], bytes, gzip, texts[2], caching].join(", ")}},`;
  });
  lines.push("namespace nando {", "namespace {", "constexpr Asset kAssets[] = {", ...rows);
  lines.push("};", "}");
  lines.push("std::span<const Asset> assets() { return kAssets; }", "}", "");
  writeFileSync(path.join(output, "assets.cc"), lines.join("\n"));
}

const [output] = process.argv.slice(2);
if (!output) fail("where to? node web/build.mjs OUTPUT");
if (!existsSync(path.join(web, "node_modules/vite"))) fail("no vite here; run: tools/setup build");
checkTypes();
const assets = (await buildAll()).map(describe).sort((a, b) => (a.name < b.name ? -1 : 1));
write(path.resolve(output), assets);
for (const { name, bytes, packed } of assets) {
  if (name.startsWith("/js/")) {
    console.log(`web: ${name} ${bytes.length} bytes, ${(packed ?? bytes).length} gzipped`);
  }
}
