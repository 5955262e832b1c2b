// A desktop and a phone, each a browser: paired, a plan watched from both, a step handed to a shell, typed into, revoked.
import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { accept, lines, meet, phoneAt } from "../lib/pairing.mjs";
import { TASK } from "../lib/repository.mjs";
import { until } from "../lib/webdriver.mjs";
import { confirm, letIn, PERSON, setUp, world } from "../lib/world.mjs";

const PHONE = "Ada's phone";
const PROMPT = "ready>";
const SOON = 5_000;

let w, person, desktop, phone, troubles, titles;
before(async () => {
  w = await world();
  person = await setUp(w);
  // A shell of known looks.
  for (const name of [".bashrc", ".bash_profile"]) await writeFile(join(w.dir, name), `PS1='${PROMPT} '\n`);
  const ui = await w.serve({ HOME: w.dir, SHELL: "/bin/bash" });
  const there = await letIn(w.chromium, ui);
  const here = await phoneAt(w.chromium, w.proxy.url);
  desktop = there.page;
  phone = here.page;
  troubles = { desktop: there.troubles, phone: here.troubles };
  for (const page of [desktop, phone]) page.setDefaultTimeout(15_000);
});
after(() => w?.release.all());

/** A part of the story: without those before it, there is nothing to see. */
let broken = false;
const part = (name, play) => test(name, async () => {
  assert.ok(!broken, "an earlier part failed");
  broken = true;
  await play();
  broken = false;
});

const press = (page, name) => page.getByRole("button", { name, exact: true }).first().click();
const place = (name) => phone.getByRole("navigation", { name: "Main" }).getByRole("link", { name: new RegExp(`^${name}`) }).click();
const station = (page, name) => page.getByRole("navigation", { name: "Stations of this session" }).getByRole("link", { name: new RegExp(`^${name}`) }).click();
const stepsOf = (page) => page.getByRole("list", { name: "Plan" }).locator("[data-step]");
const titlesOf = async (page) => (await stepsOf(page).locator("span:nth-of-type(2)").allInnerTexts()).map((title) => title.trim());
const sees = (page, what, found) => until(what, async () => found(await lines(page)), 15_000).catch(async (error) => {
  throw new Error(`${error.message}; shown:\n${(await lines(page)).join("\n")}`);
});

part("a folder is granted and a person signs in to the server", async () => {
  await desktop.getByLabel("Folder").fill(w.repo);
  await press(desktop, "Grant folder");
  await desktop.getByRole("button", { name: "New session" }).first().waitFor();
  await press(desktop, "Account and models");
  await desktop.getByLabel("Server").fill(w.proxy.url);
  await press(desktop, "Use a code instead");
  const link = desktop.getByRole("link", { name: /Open the page/ });
  await link.waitFor();
  await confirm(person, await link.getAttribute("href"));
  await desktop.getByText(`Signed in as ${PERSON.login}`).first().waitFor();
  await press(desktop, "Devices");
});

part("the phone is paired by twelve words and six digits, and shows the desktop's projects", async () => {
  const { words, digits } = await meet(desktop, phone, PHONE);
  assert.equal(words.length, 12);
  assert.match(digits, /^\d{6}$/);
  const wrong = String((Number(digits) + 1) % 1_000_000).padStart(6, "0");
  await accept(desktop, wrong, ["Run", "Approve", "Full control"]);
  await desktop.getByRole("alert").first().waitFor();
  assert.equal(await desktop.getByLabel("Six digits").inputValue(), "", "wrong digits are not kept");
  await accept(desktop, digits, []);
  await desktop.getByText(`${PHONE} is paired.`).waitFor();
  await press(desktop, "Done");
  await desktop.getByRole("button", { name: `Revoke ${PHONE}` }).waitFor();
  await phone.getByRole("link", { name: /courier/ }).waitFor();
});

part("the phone follows a plan of the desktop while it is written, and has the same plan", async () => {
  await w.sim.control({ delay_ms: 30 });
  await desktop.goBack();
  await desktop.getByRole("button", { name: "New session" }).first().click();
  await desktop.getByLabel("Task in your words").fill(TASK);
  await press(desktop, "Find files");
  await desktop.getByRole("checkbox", { name: "Include src/send.rs" }).first().waitFor();
  await press(desktop, "Make a plan");
  await desktop.getByText("Destinations, in order").waitFor();

  await phone.getByRole("link", { name: /courier/ }).click();
  await phone.getByRole("link", { name: /Retry `send`/ }).waitFor();
  await place("Jobs");
  await phone.getByText("waits for you", { exact: true }).waitFor();
  await phone.getByRole("link", { name: /Retry `send`/ }).click();
  await phone.getByText("Destinations, in order").waitFor();
  await station(phone, "Plan");

  await desktop.getByRole("button", { name: /^Send/ }).first().click();
  await phone.getByText("Writing", { exact: true }).waitFor();
  const grown = new Set();
  const done = phone.getByText("every path checked").first();
  await until("the plan's end on the phone", async () => {
    grown.add(await stepsOf(phone).count());
    return done.isVisible();
  });
  assert.ok(grown.size > 2, `the phone saw it grow: ${[...grown]}`);
  await desktop.getByText("every path checked").first().waitFor();
  titles = await titlesOf(desktop);
  assert.ok(titles.length > 1 && titles.every(Boolean), JSON.stringify(titles));
  assert.deepEqual(await titlesOf(phone), titles);
});

part("a step is handed over to a shell, pasted and not run, and both show it", async () => {
  await station(desktop, "Run");
  await press(desktop, "Start a shell");
  await sees(desktop, "the prompt", (shown) => shown[0] === PROMPT);
  await station(desktop, "Plan");
  await stepsOf(desktop).first().click();
  await press(desktop, "Hand over step 1");
  const sheet = desktop.getByRole("dialog");
  await sheet.getByRole("radio").first().check();
  await sheet.getByRole("button", { name: "Hand over", exact: true }).click();
  await sheet.getByText(/^Pasted [\d,]+ characters\. Nothing was submitted/).waitFor();
  await press(desktop, "Show the terminal");
  await place("Terminals");
  await phone.getByRole("link", { name: /shell/ }).click();
  for (const page of [desktop, phone]) await sees(page, "the step", (shown) => shown.join("").includes(titles[0]));
  await desktop.waitForTimeout(500);
  const shown = await lines(desktop);
  assert.ok(shown[0].startsWith(PROMPT) && shown[0].length > PROMPT.length, shown.join("\n"));
  assert.equal(shown.filter((line) => line.startsWith(PROMPT)).length, 1, "there was no second prompt, so nothing ran");
  assert.doesNotMatch(shown.join("\n"), /command not found|syntax error/);
});

const clean = (shown) => shown.at(-1) === PROMPT;

part("the phone clears the line and types; both see what came of it", async () => {
  await phone.getByRole("group", { name: "Keys" }).getByRole("button", { name: "Ctrl-C" }).click();
  for (const page of [desktop, phone]) await sees(page, "a clean prompt", clean);
  await say("echo from-the-phone-$((40+2))");
  for (const page of [desktop, phone]) await sees(page, "the answer", (shown) => shown.includes("from-the-phone-42") && clean(shown));
});

async function say(text) {
  await phone.getByRole("checkbox", { name: "Press Enter after it" }).check();
  await phone.getByLabel("Text to send").fill(text);
  await press(phone, "Send");
}

part("a question to the terminal is not answered by the pages that show it, and a reload changes nothing", async () => {
  // Counts, without echo, what is answered to "where is the cursor": once by the terminal itself, never by who looks at it.
  await say(String.raw`stty -echo; printf '\033[6n\033[c\033]11;?\007'; read -rs -t 1 -n 200 x; stty echo; echo answered $(printf %s "$x" | tr -cd R | wc -c) time`);
  for (const page of [desktop, phone]) await sees(page, "the end of the question", (shown) => shown.some((line) => /^answered \d+ time$/.test(line)) && clean(shown));
  const before = await lines(desktop);
  assert.ok(before.includes("answered 1 time"), before.join("\n"));
  await Promise.all([desktop.reload(), phone.reload()]);
  for (const page of [desktop, phone]) await sees(page, "the same again", (shown) => shown.includes("from-the-phone-42") && clean(shown));
  await desktop.waitForTimeout(1_000);
  assert.deepEqual(await lines(desktop), before);
  assert.deepEqual((await lines(phone)).slice(-3), before.slice(-3));
  await say("echo still-$((1+1))-here");
  for (const page of [desktop, phone]) await sees(page, "what was typed after the reload", (shown) => shown.includes("still-2-here") && clean(shown));
});

part("a revoked phone is out at once", async () => {
  await press(desktop, "Account and models");
  await press(desktop, "Devices");
  await press(desktop, `Revoke ${PHONE}`);
  assert.deepEqual(troubles, { desktop: [], phone: [] });
  const begun = Date.now();
  await desktop.getByRole("dialog").getByRole("button", { name: "Revoke", exact: true }).click();
  await phone.getByText("This phone was removed there", { exact: false }).waitFor({ timeout: SOON });
  assert.ok(Date.now() - begun < SOON);
  await desktop.getByText("No device is paired.", { exact: false }).waitFor();
  await phone.reload();
  await phone.getByText("This phone was removed there", { exact: false }).waitFor();
  assert.equal(await phone.locator(".xterm-rows").count(), 0);
});

part("neither page reported an error of its own", () => {
  // What a browser says of the ticket that the server refuses to a phone it no longer knows.
  const own = (all) => all.filter((line) => !line.includes("status of 403"));
  assert.deepEqual({ desktop: troubles.desktop, phone: own(troubles.phone) }, { desktop: [], phone: [] });
});
