// D8 from the browser: through a proxy that loses three answers of ten and sends two requests of
// ten twice, every view is counted once.

const test = (name, body) => ({ name, body });
const tabsOpen = 6;
const viewsATab = 25;
const seed = 20_260_101;

/** The same numbers below 1 in every run (mulberry32). */
function chance(state) {
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Opens the tabs, views the pages, and returns what was lost, repeated and counted. */
async function storm(world, folder, change) {
  const { site, proxy, program } = world;
  const next = chance(seed);
  let [lost, repeated] = [0, 0];
  proxy.treat(async (hit, pass) => {
    const [loses, repeats] = [next() < 0.3, next() < 0.2];
    const answer = await pass(change(hit));
    if (repeats) await pass(change(hit));
    repeated += repeats;
    lost += loses;
    return loses ? undefined : answer;
  });
  const context = await world.hurriedContext();
  const urls = [];
  const pages = [];
  for (let tab = 0; tab < tabsOpen; tab++) {
    const path = site.page(`${folder}/${tab}`, { via: proxy.address });
    urls.push(site.at(path));
    pages.push(await world.open(context, path));
  }
  const views = pages.map(async (page, tab) => {
    for (let view = 1; view < viewsATab; view++) {
      const path = `${folder}/${tab}/${view}`;
      urls.push(site.at(path));
      await page.evaluate((to) => history.pushState({}, "", to), path);
    }
  });
  await Promise.all(views);
  const known = () => new Set(proxy.hits.map(({ url }) => url)).size === urls.length;
  await world.until("every view was sent", async () => known(), 30_000);
  await Promise.all(pages.map((page) => page.close({ runBeforeUnload: false })));
  await proxy.idle();
  const counts = [];
  for (let at = 0; at < urls.length; at += 50) {
    counts.push(...(await program.counts(urls.slice(at, at + 50))));
  }
  return { lost, repeated, views: urls.length, pages: counts.map(({ page }) => page) };
}

async function once(world) {
  const { lost, repeated, views, pages } = await storm(world, "/storm", (hit) => hit);
  const wrong = pages.filter((count) => count !== 1);
  world.equal("views that are not counted exactly once", wrong, []);
  const enough = lost > views / 5 && repeated > views / 10;
  world.check("enough went wrong", enough, `${lost} lost, ${repeated} repeated`);
}

async function withoutIds(world) {
  const { views, pages } = await storm(world, "/careless", ({ id: _, ...hit }) => hit);
  const sum = pages.reduce((all, each) => all + each, 0);
  world.check("more is counted than was viewed", sum > views * 1.2, `${sum} of ${views}`);
}

export const storms = [
  test("D8: answers lost, requests repeated", once),
  test("control: the same without ids", withoutIds),
];
