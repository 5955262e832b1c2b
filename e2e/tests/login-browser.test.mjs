// `plantocode login --browser`: the address that the system is given, the server's own pages in Chromium, and the way back.
import assert from "node:assert/strict";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { opener, watch } from "../lib/browser.mjs";
import { run, start } from "../lib/programs.mjs";
import { until } from "../lib/webdriver.mjs";
import { PERSON, setUp, world } from "../lib/world.mjs";

let w;
before(async () => {
  w = await world();
  // The first administrator; each test has a browser of its own.
  await (await setUp(w)).close();
});
after(() => w?.release.all());

const home = (name) => ({ PLANTOCODE_HOME: join(w.dir, name), NO_COLOR: "1" });

/** Starts the login on a system that notes the address it is to open. */
async function login(name) {
  const { path, opened } = await opener(join(w.dir, `${name}-bin`));
  const program = await start(w.release, "plantocode", ["login", "--server", w.proxy.url, "--browser"], {
    env: { ...home(name), PATH: path },
    ready: (text) => text.match(/Open\s+(\S+)/)?.[1],
  });
  await until("the browser", async () => (await opened()).endsWith("\n"));
  assert.equal(await opened(), `${program.value}\n`, "the system opens what was printed, once");
  return program;
}

/** A fresh browser on the address: signs in on the way, and arrives at the consent page. */
async function consent(address) {
  const context = await w.chromium.newContext();
  const page = await context.newPage();
  const troubles = watch(page);
  await page.goto(address);
  assert.ok(page.url().startsWith(`${w.proxy.url}/sign-in`), page.url());
  await page.getByLabel("Name").fill(PERSON.login);
  await page.getByLabel("Password").fill(PERSON.password);
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.getByRole("button", { name: "Allow" }).waitFor();
  const text = await page.locator("main").innerText();
  assert.match(text, /PlanToCode/);
  assert.match(text, /a program on this machine/);
  assert.match(text, new RegExp(PERSON.login));
  return { page, context, troubles };
}

const whoami = async (name) => run("plantocode", ["whoami"], { env: home(name) });

test("allowed in the browser, the command line is signed in", async () => {
  const program = await login("allowed");
  const { page, context, troubles } = await consent(program.value);
  await page.getByRole("button", { name: "Allow" }).click();
  await program.waitFor((text) => text.includes("Signed in to"));
  await until("the way back", () => page.url().startsWith("http://127.0.0.1:"));
  assert.match(await page.locator("body").innerText(), /close this/i);
  assert.deepEqual(troubles, []);
  const who = await whoami("allowed");
  assert.equal(who.code, 0, who.stderr);
  assert.match(who.stdout, new RegExp(PERSON.login));
  // Nobody listens there any more.
  await assert.rejects(page.reload(), /ERR_CONNECTION_REFUSED/);
  await context.close();
});

test("denied in the browser, nobody is signed in and the command line says so", async () => {
  const program = await login("denied");
  const { page, context } = await consent(program.value);
  await page.getByRole("button", { name: "Deny" }).click();
  await until("the end", () => program.child.exitCode !== null);
  assert.equal(program.child.exitCode, 1);
  assert.match(program.printed(), /refused/);
  const who = await whoami("denied");
  assert.ok(!who.stdout.includes(PERSON.login), who.stdout);
  await context.close();
});

test("an answer that belongs to another sign-in is not taken, and the sign-in goes on", async () => {
  const program = await login("foreign");
  const back = new URL(new URL(program.value).searchParams.get("redirect_uri"));
  back.search = new URLSearchParams({ code: "guessed", state: "guessed", iss: w.proxy.url });
  const reply = await fetch(back);
  assert.ok(reply.status >= 400, `${reply.status}`);
  const { page, context } = await consent(program.value);
  await page.getByRole("button", { name: "Allow" }).click();
  await program.waitFor((text) => text.includes("Signed in to"));
  await context.close();
});
