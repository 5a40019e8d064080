// GET /try: the page of the seed, plainly: it counts itself and shows the number. For trying out,
// so it is shown only on loopback or where the operator says so.
#include "api/loop.h"

namespace nando {

namespace {

constexpr std::string_view kPageHeaders =
    "Cache-Control: no-store\r\n"
    "X-Content-Type-Options: nosniff\r\n"
    "Referrer-Policy: same-origin\r\n"
    "Content-Security-Policy: default-src 'none'; script-src 'self'; style-src 'self'; connect-src "
    "'self'; "
    "img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'\r\n";

constexpr std::string_view kPage = R"html(<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>This page counts itself</title>
<link rel="stylesheet" href="try/try.css">
<script src="try/try.js" defer></script>
</head>
<body>
<main>
<p class="label" id="label">You are visitor</p>
<p class="number" role="status" aria-labelledby="label"><output id="number">&hellip;</output></p>
<p id="text" class="text">of this page.</p>
<p class="note">Counted exactly once, and on disk before you saw it: kill the server now, start it again,
and the next number follows this one.</p>
<p><button id="again" type="button">Ask again with the same id</button>
<button id="next" type="button">Count another visit</button></p>
<details><summary>The receipt</summary><code id="receipt"></code></details>
<noscript><p>This page counts itself with a script; without one, a pixel does:
<img src="hit.gif" alt="" width="1" height="1"></p></noscript>
</main>
</body>
</html>
)html";

constexpr std::string_view kScript = R"js("use strict";
const show = (id, text) => { document.getElementById(id).textContent = text; };
const newId = () => Array.from(crypto.getRandomValues(new Uint8Array(16)), (b) => b.toString(16).padStart(2, "0")).join("");
const page = location.origin + location.pathname;
let id = newId();

async function count() {
  try {
    const answer = await fetch("nandolytics/record", {
      method: "POST",
      headers: { "Content-Type": "text/plain" },
      body: JSON.stringify({ siteUrl: page, id }),
    });
    const hit = await answer.json();
    if (!answer.ok) throw new Error(hit.message);
    show("number", hit.siteHits === undefined ? "counted" : Number(hit.siteHits).toLocaleString());
    show("text", hit.duplicate ? "of this page, as you were before: asked twice, counted once." : "of this page.");
    show("receipt", hit.receipt ?? "Its site keeps its counts to itself.");
  } catch (error) {
    show("number", "?");
    show("text", error.message);
  }
}
document.getElementById("again").addEventListener("click", count);
document.getElementById("next").addEventListener("click", () => { id = newId(); count(); });
count();
)js";

constexpr std::string_view kStyle = R"css(:root {
  color-scheme: light dark;
  --ground: #fbfaf7; --ink: #1d1b16; --soft: #6a655a; --line: #ddd8cb; --accent: #b3401c;
}
@media (prefers-color-scheme: dark) {
  :root { --ground: #16150f; --ink: #f1ede2; --soft: #a39d8e; --line: #3a372d; --accent: #ff9166; }
}
* { box-sizing: border-box; }
body {
  margin: 0; min-height: 100vh; display: grid; place-items: center; padding: 1.5rem;
  background: var(--ground); color: var(--ink);
  font: 1.0625rem/1.55 system-ui, -apple-system, "Segoe UI", sans-serif;
}
main { width: min(34rem, 100%); text-align: center; }
.label, .text { margin: 0; color: var(--soft); }
.number {
  margin: 0; font-weight: 700; font-size: clamp(4rem, 22vw, 8.5rem); line-height: 1.05;
  font-variant-numeric: tabular-nums; letter-spacing: -0.03em; color: var(--accent); overflow-wrap: anywhere;
}
.note { margin: 2rem auto 1.5rem; padding-top: 1.5rem; border-top: 1px solid var(--line); }
button {
  font: inherit; color: inherit; background: transparent; border: 1px solid var(--line); border-radius: 0.5rem;
  padding: 0.55rem 1rem; margin: 0.25rem; cursor: pointer;
}
button:hover { border-color: var(--accent); }
button:focus-visible, summary:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }
details { margin-top: 1rem; color: var(--soft); }
summary { cursor: pointer; }
code { display: block; margin-top: 0.5rem; font-size: 0.8125rem; overflow-wrap: anywhere; text-align: left; }
)css";

}  // namespace

void handle_try(Loop& loop, const Call& /*call*/, http::Responder responder) {
  loop.answer_raw(200, "text/html; charset=utf-8", kPageHeaders, kPage, std::move(responder));
}

void handle_try_script(Loop& loop, const Call& /*call*/, http::Responder responder) {
  loop.answer_raw(200, "text/javascript; charset=utf-8", kPageHeaders, kScript,
                  std::move(responder));
}

void handle_try_style(Loop& loop, const Call& /*call*/, http::Responder responder) {
  loop.answer_raw(200, "text/css; charset=utf-8", kPageHeaders, kStyle, std::move(responder));
}

}  // namespace nando
