// Chromium with a fresh profile.
import { existsSync } from "node:fs";
import { chmod, mkdir, readFile, writeFile } from "node:fs/promises";
import { delimiter, join } from "node:path";
import { chromium } from "playwright-core";

const EXECUTABLE = process.env.E2E_CHROMIUM ?? "/usr/bin/chromium";

/** A browser that ends with `release`. A missing one is an error, never a skipped test. */
export async function browser(release) {
  if (!existsSync(EXECUTABLE)) throw new Error(`${EXECUTABLE} is missing; run \`cargo xtask setup\``);
  const launched = await chromium.launch({
    executablePath: EXECUTABLE,
    args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"],
  });
  release(() => launched.close());
  return launched;
}

/** Everything that was started, ended in reverse order. */
export function releases() {
  const all = [];
  const release = (end) => all.push(end);
  release.all = async () => {
    for (const end of all.reverse()) await end();
    all.length = 0;
  };
  return release;
}

/** Fails the test when the page reports an error of its own. */
export function watch(page) {
  const troubles = [];
  page.on("pageerror", (error) => troubles.push(String(error)));
  page.on("console", (message) => {
    if (message.type() === "error") troubles.push(message.text());
  });
  return troubles;
}

/** In place of what opens addresses on this system: notes what it is given. `path` has it before everything else. */
export async function opener(folder) {
  const noted = join(folder, "opened");
  await mkdir(folder);
  await writeFile(join(folder, "xdg-open"), `#!/bin/sh\nprintf '%s\\n' "$@" >> '${noted}'\n`);
  await chmod(join(folder, "xdg-open"), 0o755);
  return { path: `${folder}${delimiter}${process.env.PATH}`, opened: () => readFile(noted, "utf8").catch(() => "") };
}
