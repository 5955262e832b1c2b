/**
 * Draws every screen on an engine in memory, in light and dark, at three sizes, and lets axe look at each.
 *
 *   node test/screens/run.mjs [--out DIR] [--only NAME,NAME] [--no-axe] [--sizes desktop,tablet,phone,phone412,zoom]
 *       [--themes light,dark,contrast]
 *
 * Pictures are taken when `--out` says where to. Ends with 1 when axe finds anything or a page says an error in its console. Needs Chromium; its path is
 * taken from CHROMIUM, else /usr/bin/chromium.
 */
import { readFileSync } from "node:fs";
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { chromium } from "playwright-core";
import react from "@vitejs/plugin-react";
import { build, preview } from "vite";
import { alias } from "../../vite.config.js";
import { extras } from "./extras.mjs";

const here = fileURLToPath(new URL(".", import.meta.url));
const axeSource = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
/** `zoom` is a desktop at 200 %. */
const SIZES = { desktop: [1440, 900], tablet: [1024, 768], phone: [390, 844], phone412: [412, 915], zoom: [720, 450] };
/** What `plantocode serve` sends with the page. */
const CSP = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

function option(name, fallback) {
  const at = process.argv.indexOf(`--${name}`);
  return at < 0 ? fallback : process.argv[at + 1];
}

const dist = await mkdtemp(join(tmpdir(), "plantocode-screens-"));
const out = option("out", undefined);
const wanted = option("only", "")?.split(",").filter(Boolean);
const sizes = option("sizes", "desktop,tablet,phone").split(",");
/** `contrast` asks for more of it, in light. */
const themes = option("themes", "light,dark").split(",");
const withAxe = !process.argv.includes("--no-axe");

await build({ configFile: false, root: here, logLevel: "warn", resolve: { alias }, plugins: [react()], build: { outDir: dist, emptyOutDir: true, target: "chrome123", assetsInlineLimit: 0, modulePreload: { polyfill: false }, chunkSizeWarningLimit: 2000 } });
const server = await preview({ configFile: false, root: here, logLevel: "warn", build: { outDir: dist }, preview: { port: 0, host: "127.0.0.1", headers: { "content-security-policy": CSP } } });
const url = server.resolvedUrls.local[0];
const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", args: ["--no-sandbox"] });
if (out) await mkdir(out, { recursive: true });

const problems = [];
let screens = 0;

/** All of axe's rules; or those alone whose answer depends on the theme, since everything else on the page is the same in each. */
async function audit(page, label, all) {
  if (!withAxe) return;
  // Injected by the debugger, which the page's policy does not bind.
  await page.evaluate(`if (!window.axe) { ${axeSource} }`);
  const found = await page.evaluate((whole) => {
    const rules = whole ? { rules: { "color-contrast": { enabled: true } } } : { runOnly: { type: "rule", values: ["color-contrast", "link-in-text-block"] } };
    return window.axe.run(document, { resultTypes: ["violations"], preload: false, ...rules });
  }, all);
  for (const v of found.violations) {
    const nodes = v.nodes.slice(0, 4).map((n) => `      ${n.target.join(" ")}\n        ${(n.any[0] ?? n.all[0] ?? n.none[0])?.message ?? ""}`).join("\n");
    problems.push(`${label}: ${v.id}: ${v.help}\n${nodes}`);
  }
}

const media = (theme) => ({ colorScheme: theme === "contrast" ? "light" : theme, contrast: theme === "contrast" ? "more" : "no-preference" });

/** Pages that are done, by size. One that is used again has read and compiled the interface already. */
const idle = new Map(sizes.map((size) => [size, []]));

async function pageOf(size) {
  const kept = idle.get(size).pop();
  if (kept) return kept;
  const [width, height] = SIZES[size];
  const phone = size.startsWith("phone");
  const context = await browser.newContext({ viewport: { width, height }, ...media(themes[0]), reducedMotion: "reduce", hasTouch: phone, isMobile: phone, deviceScaleFactor: phone || size === "zoom" ? 2 : 1 });
  const page = await context.newPage();
  const place = { page, context, debug: await context.newCDPSession(page), label: "" };
  // On a machine with much else to do a page takes its time; a screen that never comes is told all the same.
  page.setDefaultTimeout(30_000);
  page.on("console", (m) => ["error", "warning"].includes(m.type()) && problems.push(`${place.label}: console: ${m.text()}`));
  page.on("pageerror", (e) => problems.push(`${place.label}: threw: ${e.message}`));
  return place;
}

/** Leaves nothing behind of the screen that was drawn. */
async function giveBack(place, size) {
  await place.page.evaluate(() => sessionStorage.clear());
  await place.page.goto("about:blank");
  await place.debug.send("Storage.clearDataForOrigin", { origin: new URL(url).origin, storageTypes: "all" });
  await place.page.emulateMedia(media(themes[0]));
  idle.get(size).push(place);
}

/** A screen is reached once, and looked at in every theme. */
async function draw(name, size, after) {
  const place = await pageOf(size);
  const { page } = place;
  place.label = `${name}-${size}-${themes[0]}`;
  try {
    await page.goto(`${url}?scenario=${after?.scenario ?? name}`);
    await page.evaluate(() => document.fonts.ready);
    await page.waitForTimeout(name === "offline" || name === "phonebehind" || name === "phonewaiting" ? 3200 : 350);
    if (after) await after.act(page, size);
    const wide = await page.evaluate(() => document.documentElement.scrollWidth > window.innerWidth);
    if (wide) problems.push(`${place.label}: the page is wider than the window`);
    if (await page.evaluate(() => document.scrollingElement.scrollTop !== 0)) problems.push(`${place.label}: the window itself is scrolled`);
    for (const theme of themes) {
      place.label = `${name}-${size}-${theme}`;
      if (theme !== themes[0]) {
        await page.emulateMedia(media(theme));
        await page.waitForTimeout(100);
      }
      if (out) await page.screenshot({ path: join(out, `${place.label}.png`) });
      await audit(page, place.label, theme === themes[0]);
      screens += 1;
    }
    await giveBack(place, size);
  } catch (error) {
    problems.push(`${place.label}: ${error.message.split("\n").slice(0, 3).join(" ")}`);
    await place.context.close();
  }
}

const names = listScenarios();
function listScenarios() {
  const text = readFileSync(join(here, "scenarios.ts"), "utf8");
  return [...text.slice(text.indexOf("export const scenarios")).matchAll(/^ {2}(\w+): \{/gm)].map((m) => m[1]);
}

const work = [];
for (const size of sizes) {
  for (const name of names) if (size.startsWith("phone") || !name.startsWith("phone")) if (!wanted.length || wanted.includes(name)) work.push(() => draw(name, size));
  for (const extra of extras) {
    const meant = (!wanted.length || wanted.includes(extra.name)) && (!extra.sizes || extra.sizes.includes(size));
    if (meant) work.push(() => draw(extra.name, size, extra));
  }
}
await Promise.all(Array.from({ length: 4 }, async () => {
  for (let next = work.shift(); next; next = work.shift()) await next();
}));

await browser.close();
await server.close();
await rm(dist, { recursive: true });
for (const problem of problems) console.log(problem);
console.log(`${screens} screens drawn${withAxe ? " and looked at by axe" : ""}, ${problems.length} problems`);
process.exit(problems.length > 0 ? 1 : 0);
