// GET /try: the page of the seed, plainly: it counts itself and shows the number. For trying out,
// so it is shown only on loopback or where the operator says so. Its parts are named relative to
// it, so that it works below the path of public_url; without script a pixel counts it.
#include "api/loop.h"
#include "handlers/routes.h"

namespace nando {

namespace {

constexpr std::string_view kPageHeaders =
    "Cache-Control: no-store\r\n"
    "X-Content-Type-Options: nosniff\r\n"
    "Referrer-Policy: same-origin\r\n"
    "Content-Security-Policy: default-src 'none'; script-src 'self'; style-src 'self'; "
    "connect-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'\r\n";

constexpr std::string_view kPage = R"html(<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>This page counts itself</title>
<link rel="icon" href="try/icon.svg" type="image/svg+xml">
<link rel="stylesheet" href="try/try.css">
<script src="try/try.js" defer></script>
</head>
<body>
<main>
<h1>This page counts itself.</h1>
<p class="count live" role="status" aria-atomic="true">
<span class="words">This visit is number</span>
<strong class="number" id="number">&hellip;</strong>
<span class="words" id="text">&nbsp;</span>
</p>
<p class="buttons live">
<button id="next" type="button" class="first">Count another visit</button>
<button id="again" type="button">Ask again with the same id</button>
</p>
<noscript><p class="note">Your browser runs no script, so a pixel has counted this visit. It cannot
tell you the number; the second command below can.</p>
<img src="hit.gif" alt="" width="1" height="1"></noscript>
<ul>
<li><strong>Exactly once.</strong> A visit has an id. Ask as often as you like: the same id,
the same number.</li>
<li><strong>On disk before you saw it.</strong> Kill the server, start it again: the next visit gets
the next number.</li>
<li><strong>Yours to keep.</strong> With the number comes a receipt that nobody can forge.</li>
</ul>
<details class="live"><summary>The receipt of this visit</summary>
<pre id="receipt" tabindex="0" aria-label="Receipt">&nbsp;</pre></details>
<details><summary>The same from a shell</summary>
<pre id="shell" tabindex="0" aria-label="Commands">
curl -d '{"siteUrl": "PAGE"}' SERVER/nandolytics/record
curl 'SERVER/api/v1/counts?url=PAGE'</pre></details>
</main>
</body>
</html>
)html";

constexpr std::string_view kScript = R"js("use strict";
const $ = (id) => document.getElementById(id);
const page = location.origin + location.pathname;
const base = new URL(".", page).href;

// Not crypto.randomUUID(): that one is missing on plain http.
const newId = () => Array.from(crypto.getRandomValues(new Uint8Array(16)),
  (byte) => byte.toString(16).padStart(2, "0")).join("");
let id = newId();

function show(number, text, receipt) {
  $("number").textContent = number;
  $("number").classList.toggle("long", number.length > 6);
  $("text").textContent = text;
  if (receipt) $("receipt").textContent = receipt;
}

function showHit(hit, again) {
  if (hit.siteHits === undefined) {
    return show("\u2713", "Counted. This site keeps its numbers to itself.");
  }
  const number = Number(hit.siteHits).toLocaleString(document.documentElement.lang);
  const twice = "Asked again, counted once: the same number, the same receipt.";
  const fresh = again ? "A new id, so another visit." : "Counted once, and kept.";
  show(number, hit.duplicate ? twice : fresh, hit.receipt);
}

async function count(again) {
  for (const button of document.querySelectorAll("button")) button.ariaDisabled = "true";
  try {
    const answer = await fetch(base + "nandolytics/record", {
      method: "POST",
      headers: { "Content-Type": "text/plain" },
      body: JSON.stringify({ siteUrl: page, id }),
    });
    const hit = await answer.json();
    if (answer.ok) showHit(hit, again);
    else show("\u2013", "Not counted: " + hit.message + ".");
  } catch {
    show("\u2013", "The server does not answer. Ask again: with the same id it is safe.");
  }
  for (const button of document.querySelectorAll("button")) button.ariaDisabled = null;
}

const when = (button, act) => $(button).addEventListener("click", () => {
  if ($(button).ariaDisabled !== "true") act();
});
when("again", () => count(true));
when("next", () => { id = newId(); count(true); });

$("shell").textContent = `curl -d '{"siteUrl": "${page}"}' ${base}nandolytics/record
curl '${base}api/v1/counts?url=${page}'`;
count(false);
)js";

constexpr std::string_view kStyle = R"css(:root {
  color-scheme: light dark;
  --ground: #fbfaf6; --ink: #1c1a15; --soft: #625d51; --line: #dcd6c8; --accent: #a83a17;
  --on-accent: #fff; --well: #f2efe6;
}
@media (prefers-color-scheme: dark) {
  :root {
    --ground: #14130f; --ink: #f2eee4; --soft: #aaa493; --line: #3b382e; --accent: #ff9a70;
    --on-accent: #1c0d05; --well: #1e1c17;
  }
}
* { box-sizing: border-box; }
body {
  margin: 0; background: var(--ground); color: var(--ink);
  font: 1.0625rem/1.55 system-ui, -apple-system, "Segoe UI", sans-serif;
}
main { width: min(38rem, 100%); margin: 0 auto; padding: clamp(1.5rem, 8vh, 5rem) 1.25rem 3rem; }
h1 { margin: 0; font-size: 1.25rem; font-weight: 650; }
.count { margin: clamp(1.5rem, 6vh, 3.5rem) 0 0; }
.words { display: block; color: var(--soft); }
.number {
  display: block; height: 1.12em; margin-left: -0.05em; overflow: hidden; color: var(--accent);
  font-size: clamp(6rem, 30vw, 12rem); line-height: 1.12; font-weight: 750;
  letter-spacing: -0.045em; font-variant-numeric: tabular-nums; white-space: nowrap;
}
.number.long { font-size: clamp(3rem, 15vw, 6rem); height: 2.24em; line-height: 2.24; }
#text { min-height: 3.1em; }
.buttons { display: flex; flex-wrap: wrap; gap: 0.625rem; margin: 1rem 0 0; }
button {
  min-height: 2.75rem; padding: 0.5rem 1.125rem; border: 1px solid var(--soft);
  border-radius: 0.5rem; background: transparent; color: inherit; font: inherit; cursor: pointer;
}
button.first {
  border-color: var(--accent); background: var(--accent); color: var(--on-accent); font-weight: 600;
}
button:hover { border-color: var(--ink); }
button:active { translate: 0 1px; }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 3px; border-radius: 0.5rem; }
.note { margin: 1.5rem 0 0; }
ul { margin: 2.5rem 0 1.5rem; padding: 1.5rem 0 0; border-top: 1px solid var(--line); }
li { margin: 0 0 0.75rem; list-style: none; color: var(--soft); }
strong { color: var(--ink); font-weight: 650; }
details { border-top: 1px solid var(--line); }
details:last-child { border-bottom: 1px solid var(--line); }
summary { min-height: 2.75rem; padding: 0.625rem 0; cursor: pointer; }
pre {
  margin: 0 0 1rem; padding: 0.875rem 1rem; border-radius: 0.5rem; background: var(--well);
  font: 0.8125rem/1.6 ui-monospace, SFMono-Regular, Menlo, Consolas, monospace;
  overflow-x: auto;
}
#receipt { min-height: 6.55em; white-space: pre-wrap; word-break: break-all; }
@media (scripting: none) { .live { display: none; } }
)css";

constexpr std::string_view kIcon =
    R"svg(<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 16 16">
<rect width="16" height="16" rx="4" fill="#a83a17"/>
<path d="M5.5 5 8.5 3.5V12.5" fill="none" stroke="#fff" stroke-width="2"/>
</svg>
)svg";

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

void handle_try_icon(Loop& loop, const Call& /*call*/, http::Responder responder) {
  loop.answer_raw(200, "image/svg+xml", kPageHeaders, kIcon, std::move(responder));
}

}  // namespace nando
