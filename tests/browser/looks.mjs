// What a page must be in every look: without a problem that axe finds, by light and by dark, and no
// wider than a narrow window.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

const require = createRequire(new URL("../../web/package.json", import.meta.url));
const axe = readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");

async function problemsOf(page) {
  await page.evaluate(axe);
  const found = await page.evaluate(() => globalThis.axe.run());
  return found.violations.map(({ id, nodes }) => `${id} at ${nodes[0]?.target}`);
}

export async function everyLook(world, page, state) {
  for (const colorScheme of ["light", "dark"]) {
    await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
    world.equal(`axe, ${state}, ${colorScheme}`, await problemsOf(page), []);
  }
  const size = page.viewportSize();
  await page.setViewportSize({ width: 320, height: 640 });
  const width = await page.evaluate(() => document.documentElement.scrollWidth);
  world.check(`${state} fits 320 px`, width <= 320, width);
  await page.setViewportSize(size);
}
