// The built desktop app in a real window: the same interface over its own link, and what closing it leaves alone.
import assert from "node:assert/strict";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { browser, opener, releases } from "../lib/browser.mjs";
import { screen } from "../lib/desktop.mjs";
import { once } from "node:events";
import { run, server, simulator, start, temporary } from "../lib/programs.mjs";
import { repository, TASK } from "../lib/repository.mjs";
import { until } from "../lib/webdriver.mjs";
import { allow, PERSON, setUp } from "../lib/world.mjs";

let release, dir, repo, system, display, window;
before(async () => {
  release = releases();
  dir = await temporary(release);
  repo = await repository(join(dir, "courier"));
  system = await opener(join(dir, "bin"));
  display = await screen(release, dir, { PATH: system.path });
});
after(async () => {
  await window?.end().catch(() => {});
  await release?.all();
});

const cli = (...args) => run("plantocode", args, { env: { ...display.env, NO_COLOR: "1" }, cwd: repo });
const button = (name) => `//button[normalize-space(.)='${name}']`;
const shown = (text) => until(`“${text}” on the page`, async () => (await window.text()).includes(text));
const terminalText = () => window.execute("return [...document.querySelectorAll('.xterm-rows')].map((rows) => rows.innerText).join('\\n')");
const TYPE = "//textarea[contains(@aria-label, 'Type into')]";

test("files are found in the window", async () => {
  window = await display.open();
  await shown("Grant folder");
  await window.type("//input", repo);
  await window.click(button("Grant folder"));
  await window.click("//button[starts-with(normalize-space(.), 'New session')]");
  await window.type("//*[@aria-label='Task in your words' or @id=//label[.='Task in your words']/@for]", TASK.split("\n")[0]);
  await window.click("//button[starts-with(normalize-space(.), 'Find files')]");
  await window.one("//*[@aria-label='Include src/send.rs']");
});

test("a shell answers in the window", async () => {
  await window.execute("location.hash = '#/terminals'");
  await window.click("//button[contains(., 'Start a shell')]");
  await until("a prompt", async () => /[#$]\s*$/.test((await terminalText()).trim()));
  await window.type(TYPE, "echo from-the-window-$((40+2))\n");
  await until("the echo", async () => (await terminalText()).includes("from-the-window-42"));
});

test("a page in the window can do nothing but send frames", async () => {
  const refused = await window.execute(`
    const invoke = window.__TAURI_INTERNALS__.invoke;
    window.outcomes = {};
    const note = (name, promise) => promise.then(() => (window.outcomes[name] = "allowed"), (error) => (window.outcomes[name] = String(error)));
    note("open_url", invoke("plugin:opener|open_url", { url: "https://example.com" }));
    note("notify", invoke("plugin:notification|notify", { options: { title: "x" } }));
    note("close", invoke("plugin:window|close", { label: "main" }));
    note("another link", invoke("link_send", { link: 9999, frames: [] }));
    const inline = document.createElement("script");
    inline.textContent = "window.inlineRan = true";
    document.head.append(inline);
    note("elsewhere", fetch("https://example.com"));
    location.href = "https://example.com/";
    return typeof window.__TAURI__;`);
  assert.equal(refused, "undefined", "no global of the framework");
  const outcomes = await until("all outcomes", async () => {
    const now = await window.execute("return window.outcomes");
    return Object.keys(now).length === 5 && now;
  });
  for (const [name, outcome] of Object.entries(outcomes)) assert.notEqual(outcome, "allowed", name);
  assert.equal(await window.execute("return window.inlineRan === true"), false, "no inline script");
  assert.match(await window.execute("return location.href"), /^tauri:/, "it stays where it is");
});

test("closing the window ends neither the shell nor what was done; both are there when it opens again", async () => {
  await window.type(TYPE, "sleep 4; echo finished-while-closed-$((40+3))\n");
  // What was typed has arrived when its echo is shown.
  await until("the command", async () => (await terminalText()).includes("finished-while-closed-$"));
  await window.end();
  const [terminal] = JSON.parse((await cli("terminal", "list", "--json")).stdout);
  assert.equal(terminal.state, "running");
  await until("the shell's work", async () => JSON.parse((await cli("terminal", "list", "--json")).stdout)[0].head > terminal.head);
  window = await display.open();
  await shown("courier");
  await window.execute("location.hash = '#/terminals'");
  await until("what the shell has done meanwhile", async () => (await terminalText()).includes("finished-while-closed-43"));
  await until("what was there before", async () => (await terminalText()).includes("from-the-window-42"));
  await window.type(TYPE, "echo again-$((40+4))\n");
  await until("the echo", async () => (await terminalText()).includes("again-44"));
});

test("a person signs in by the browser of the machine, and out again", async () => {
  const sim = await simulator(release);
  const proxy = await server(release, sim, { dir: join(dir, "server"), key: "a provider's key" });
  const person = await setUp({ chromium: await browser(release), proxy });
  await window.click("//button[@aria-label='Account and models']");
  await window.type("//input[@type='url']", proxy.url);
  await window.click(button("Sign in"));
  await window.click("//a[contains(., 'Open the page')]");
  await until("the browser", async () => (await system.opened()).endsWith("\n"));
  await allow(person, (await system.opened()).trim());
  await shown(`Signed in as ${PERSON.login}`);
  // What follows asks a model without a server.
  await window.click(button("Sign out"));
  await shown("Not signed in");
});

test("a second start shows the first window", async () => {
  const second = await run("plantocode-desktop", [], { env: display.env });
  assert.equal(second.code, 0, second.stderr);
  await shown("Terminals");
});

test("a running job keeps the program when its window is closed, and its end ends the program", async () => {
  await window.end();
  const sim = await simulator(release);
  assert.equal((await cli("models", "add", "sim", "--url", sim.openai, "--model", "sim-large")).code, 0);
  await sim.control({ first_delay_ms: 12_000 });
  const app = await start(release, "plantocode-desktop", [], { env: display.env, ready: () => true });
  // A process that has a window has become the engine before.
  await until("a window", () => display.hasWindow(app.child.pid));
  const plan = cli("plan", TASK, "--yes-up-to", "2", "--model", "sim/sim-large", "--format", "json");
  await until("the request", async () => (await sim.log()).length === 1);
  await display.closeWindow(app.child.pid);
  await until("no window", async () => !(await display.hasWindow(app.child.pid)));
  await new Promise((done) => setTimeout(done, 3_000));
  assert.equal(app.child.exitCode, null, "the process stays for its job");
  const { code, stdout, stderr } = await plan;
  assert.equal(code, 0, stderr);
  assert.ok(JSON.parse(stdout).steps.every((step) => step.complete), "the plan is whole");
  const [ended] = app.child.exitCode === null ? await once(app.child, "exit") : [app.child.exitCode];
  assert.equal(ended, 0, "the process ends by itself once the job is done");
});
