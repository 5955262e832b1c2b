// The story of the product in the browser, with real processes: sign in, find, untick, approve, plan, check; refuse; better words; cut.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { TASK } from "../lib/repository.mjs";
import { allow, KEY, letIn, PERSON, setUp, world } from "../lib/world.mjs";
import { createHash } from "node:crypto";

let w, person, ui, page, troubles;
before(async () => {
  w = await world();
  person = await setUp(w);
  ui = await w.serve();
  ({ page, troubles } = await letIn(w.chromium, ui));
});
after(() => w?.release.all());

const button = (name) => page.getByRole("button", { name, exact: true });

/** A new session with this task, its files found. */
async function begin(task) {
  await page.getByRole("button", { name: "New session" }).first().click();
  const words = page.getByLabel("Task in your words");
  // The session before is shown until the new one exists.
  while ((await words.inputValue()) !== "") await page.waitForTimeout(20);
  await words.fill(task);
  await button("Find files").click();
  await page.getByRole("checkbox", { name: "Include src/send.rs" }).first().waitFor();
}

async function ask() {
  await button("Make a plan").click();
  await page.getByText("Destinations, in order").waitFor();
}

test("a folder is granted and a person signs in to the server", async () => {
  await page.getByLabel("Folder").fill(w.repo);
  await button("Grant folder").click();
  await page.getByRole("button", { name: "New session" }).first().waitFor();
  await page.getByRole("button", { name: /^Account/ }).first().click();
  await page.getByLabel("Server").fill(w.proxy.url);
  await button("Sign in").first().click();
  const link = page.getByRole("link", { name: /Open the page/ });
  await link.waitFor();
  await allow(person, await link.getAttribute("href"));
  await page.getByText(`Signed in as ${PERSON.login}`).first().waitFor();
  await page.keyboard.press("Escape");
});

test("a task becomes a checked plan, and an unticked file stays here", async () => {
  await w.sim.control({ delay_ms: 8 });
  await w.sim.clear();
  await begin(TASK);
  await ask();
  const approval = page.getByRole("region", { name: "Approve" });
  await approval.getByRole("checkbox", { name: /src\/lib\.rs/ }).click();
  await approval.getByText("3 files,", { exact: false }).waitFor();
  const fingerprint = (await approval.innerText()).match(/Fingerprint\s+([0-9a-f]{64})/)[1];
  assert.deepEqual(await w.sim.log(), [], "nothing leaves before it is approved");
  await button("Send").or(page.getByRole("button", { name: /^Send/ })).first().click();
  await page.getByText("every path checked").waitFor({ timeout: 30_000 });
  const log = await w.sim.log();
  assert.equal(log.length, 1);
  assert.ok(!log[0].body.includes("//! Sends parcels."), "the unticked file was sent");
  assert.equal(log[0].key_sha256, createHash("sha256").update(KEY).digest("hex"), "the server used its own key");
  const verified = await w.proxy.verify();
  assert.equal(verified.code, 0, verified.stderr);
  assert.match(fingerprint, /^[0-9a-f]{64}$/);
  await page.getByText(/src\/\s*send\.rs/).first().waitFor();
});

test("refusing sends nothing", async () => {
  await w.sim.clear();
  await begin("Give `send` a timeout");
  await ask();
  await page.getByRole("button", { name: /^Don't send/ }).click();
  await page.getByText("Nothing left this machine", { exact: false }).first().waitFor();
  assert.deepEqual(await w.sim.log(), []);
});

test("a model's words come into the task without a keystroke lost, and one undo takes them back", async () => {
  const words = page.getByLabel("Task in your words");
  const help = page.getByRole("group", { name: "Help with the task" });
  const holds = async (text) => {
    for (let i = 0; i < 250 && (await words.inputValue()) !== text; i++) await page.waitForTimeout(20);
    assert.equal(await words.inputValue(), text);
  };
  const send = async (purpose) => {
    await page.getByText(purpose).waitFor();
    await page.getByRole("button", { name: /^Send/ }).first().click();
  };
  await begin("Give `send` a gooder name");
  await w.sim.control({ style: "text", text: "<text>better</text>", first_delay_ms: 1000 });
  await words.evaluate((area) => (area.focus(), area.setSelectionRange(area.value.indexOf("gooder"), area.value.indexOf(" name"))));
  await page.getByRole("button", { name: /^Improve selection/ }).waitFor();
  await page.keyboard.press("Control+Shift+Enter");
  await page.getByLabel("How it should be better").fill("correct English");
  await page.keyboard.press("Enter");
  await send("a passage in better words");
  await words.press("End");
  await words.pressSequentially(" and a timeout", { delay: 150 });
  await help.getByText("A model's words are in the task.").waitFor({ timeout: 30_000 });
  await holds("Give `send` a better name and a timeout");
  assert.match((await w.sim.log()).at(-1).body, /correct English/);
  await w.sim.control({ style: "text", text: "<text>Rename `send` in src/send.rs, with a timeout</text>" });
  await page.getByRole("button", { name: /^Refine/ }).click();
  await send("the task put precisely");
  await holds("Rename `send` in src/send.rs, with a timeout");
  await help.getByRole("button", { name: "Show change" }).click();
  await page.getByRole("region", { name: "What changed" }).getByText("Removed: Give `send` a better name and a timeout").waitFor();
  await page.keyboard.press("Escape");
  await help.getByRole("button", { name: "Undo" }).click();
  await holds("Give `send` a better name and a timeout");
  await help.waitFor({ state: "detached" });
});

test("a provider that stops in mid-plan gives a plan shown as cut", async () => {
  await w.sim.control({ style: "cut" });
  await begin("Let `send` report how many bytes it wrote");
  await ask();
  await page.getByRole("button", { name: /^Send/ }).first().click();
  await page.getByText("The answer ended before the plan did", { exact: false }).waitFor({ timeout: 30_000 });
  await w.sim.control({});
});

test("a reload keeps everything, and a second use of the link is refused", async () => {
  await page.reload();
  await page.getByText("The answer ended before the plan did", { exact: false }).waitFor({ timeout: 30_000 });
  assert.equal(new URL(page.url()).hash.includes("ticket"), false, "the ticket does not stay in the address");
  const cookies = await page.context().cookies(ui.url);
  assert.deepEqual(cookies, [], "the page needs no cookie");
});

test("the page reported no error of its own", () => {
  assert.deepEqual(troubles, []);
});
