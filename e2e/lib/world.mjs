// Everything a story needs: provider, server with an administrator, repository, interface, browser.
import { join } from "node:path";
import { browser, releases, watch } from "./browser.mjs";
import { serve, server, simulator, temporary } from "./programs.mjs";
import { repository } from "./repository.mjs";

export const PERSON = { login: "ada@example.com", password: "correct horse battery staple" };
export const KEY = "e2e-canary-provider-key";

/** `through`: a cutter that everybody reaches the server through. */
export async function world({ through } = {}) {
  const release = releases();
  try {
    const dir = await temporary(release);
    const sim = await simulator(release);
    const way = await through?.(release);
    const proxy = await server(release, sim, { dir: join(dir, "server"), key: KEY, publicUrl: way?.url });
    way?.open(proxy.listens);
    const repo = await repository(join(dir, "courier"));
    const home = join(dir, "home");
    const chromium = await browser(release);
    return { release, dir, sim, way, proxy, repo, home, chromium, serve: (env) => serve(release, home, env) };
  } catch (error) {
    await release.all();
    throw error;
  }
}

/** Makes the first administrator through the one-time page; returns the signed-in browser context. */
export async function setUp({ chromium, proxy }) {
  const context = await chromium.newContext();
  const page = await context.newPage();
  await page.goto(proxy.setupUrl);
  await page.getByLabel("E-mail or name").or(page.locator("#login")).first().fill(PERSON.login);
  await page.locator("#password").fill(PERSON.password);
  await page.getByRole("button", { name: "Create administrator" }).click();
  await page.waitForLoadState("networkidle");
  return context;
}

/** Confirms a device code as the signed-in person. */
export async function confirm(context, address) {
  const page = await context.newPage();
  await page.goto(address);
  await page.getByRole("button", { name: "Approve" }).click();
  await page.waitForLoadState("networkidle");
  await page.close();
}

/** Allows a sign-in by the browser as the signed-in person, and goes back with it. */
export async function allow(context, address) {
  const page = await context.newPage();
  await page.goto(address);
  await page.getByRole("button", { name: "Allow" }).click();
  await page.waitForURL(/^http:\/\/127\.0\.0\.1:\d+\/callback/);
  await page.getByText(/close this/i).waitFor();
  await page.close();
}

/** A page of the interface, let in; `troubles` collects what it reports. */
export async function letIn(chromium, ui, options = {}) {
  const context = await chromium.newContext({ viewport: { width: 1440, height: 900 }, ...options });
  const page = await context.newPage();
  const troubles = watch(page);
  await page.goto(await ui.open());
  return { page, context, troubles };
}
