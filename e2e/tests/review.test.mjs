// A plan is reviewed in the browser, on a real engine: decide, override, repair, comment, edit beside somebody else, versions, ask a model.
import assert from "node:assert/strict";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { browser, releases } from "../lib/browser.mjs";
import { engine } from "../lib/engine.mjs";
import { serve, simulator, temporary } from "../lib/programs.mjs";
import { repository, TASK } from "../lib/repository.mjs";
import { letIn } from "../lib/world.mjs";

/** Three steps; the second names a file that is not there, and there is one of nearly that name. */
const PLAN = `<plan title="Retry a send that is reset">
<step title="Let the policy say how often" confidence="high">
<why>One attempt is what it says now.</why>
<operation kind="modify" path="src/policy.rs" symbol="Policy"><change>pub pause_ms: u64,</change></operation>
</step>
<step title="Try again in send" confidence="medium" depends="1">
<why>A reset is worth another attempt.</why>
<operation kind="modify" path="src/sendd.rs" symbol="send"><change>for _ in 0..policy.limit {}</change></operation>
<command>cargo test</command>
</step>
<step title="Test a reset" confidence="high" depends="2">
<why>Nothing covers it.</why>
<operation kind="create" path="tests/reset.rs"><change>#[test]
fn a_reset_is_tried_again() {}</change></operation>
<check>It fails without step 2.</check>
</step>
</plan>`;

const CHANGED = `<plan title="Retry a send that is reset">
<step title="Let the policy say how often and how long" confidence="high">
<why>One attempt without a pause is what it says now.</why>
<operation kind="modify" path="src/policy.rs" symbol="Policy"><change>pub pause: Duration,</change></operation>
</step>
</plan>`;

const release = releases();
let sim, own, page, troubles, plan;
before(async () => {
  const dir = await temporary(release);
  sim = await simulator(release);
  const repo = await repository(join(dir, "courier"));
  const home = join(dir, "home");
  const chromium = await browser(release);
  const ui = await serve(release, home, { OPENAI_API_KEY: "e2e", OPENAI_BASE_URL: sim.openai, ANTHROPIC_API_KEY: "e2e", ANTHROPIC_BASE_URL: sim.anthropic });
  own = await engine(release, home);
  ({ page, troubles } = await letIn(chromium, ui));
  await page.getByLabel("Folder").fill(repo);
  await page.getByRole("button", { name: "Grant folder", exact: true }).click();
});
after(() => release.all());

const head = (n) => page.locator("[data-step]").nth(n - 1);
const press = async (n, key) => {
  await head(n).focus();
  await page.keyboard.press(key);
};
const card = (n) => page.locator("[data-card]").nth(n - 1);
const now = () => own.call("plans.get", { plan });

test("a plan is made, and the check finds a path in it that is not there", async () => {
  await sim.control({ style: "text", text: PLAN });
  await page.getByRole("button", { name: "New session" }).first().click();
  await page.getByLabel("Task in your words").fill(TASK);
  await page.getByRole("button", { name: "Find files", exact: true }).click();
  await page.getByRole("checkbox", { name: "Include src/send.rs" }).first().waitFor();
  await page.getByRole("button", { name: "Make a plan", exact: true }).click();
  await page.getByRole("button", { name: /^Send/ }).first().click();
  await page.getByText("0 of 3 accepted").waitFor({ timeout: 30_000 });
  await page.getByText("1 wrong").waitFor();
  const { sessions } = await own.call("sessions.list", {});
  plan = (await own.call("plans.list", { session: sessions[0].id })).plans[0].id;
});

test("keys decide about the step that has the focus, and an error holds an accepted step back", async () => {
  await press(1, "a");
  await page.getByText("1 of 3 accepted").waitFor();
  await press(3, "x");
  await page.getByText("Held back: 2 open", { exact: false }).waitFor({ state: "detached" });
  assert.deepEqual((await now()).steps.map((s) => s.decision), ["accepted", "open", "rejected"]);
  await press(3, "o");
  await page.getByText("Held back: 2 open").waitFor();
  await page.getByRole("button", { name: "Accept all open steps" }).click();
  await page.getByText("3 of 3 accepted").waitFor();
  await page.getByText("Held back: 1 with errors").waitFor();
  const { text } = await own.call("plans.export", { plan, format: "markdown", accepted_only: true, keep_invisible: false });
  assert.ok(text.includes("Let the policy say how often") && !text.includes("Try again in send"), text);
});

test("an error is overridden openly, and that is taken back with the decision", async () => {
  await head(2).click();
  await page.getByRole("button", { name: "Override errors" }).click();
  await page.getByRole("dialog").getByText("src/sendd.rs", { exact: false }).first().waitFor();
  await page.getByRole("button", { name: "Accept despite errors" }).click();
  await page.getByText("Nothing is held back.").waitFor();
  assert.equal((await now()).steps[1].overridden, true);
  await press(2, "o");
  await page.getByText("Held back: 1 open").waitFor();
  assert.equal((await now()).steps[1].overridden, false);
});

test("the fix that the check offers is applied with one key", async () => {
  await press(2, "f");
  await page.getByText("Step 2 repaired", { exact: false }).first().waitFor();
  await page.getByText("1 wrong").waitFor({ state: "detached" });
  const { version, steps } = await now();
  assert.deepEqual([version, steps[1].operations[0].path, steps[1].findings.filter((f) => f.severity === "error")], [2, "src/send.rs", []]);
  await press(2, "a");
  await page.getByText("Nothing is held back.").waitFor();
});

test("a comment that was begun outlasts Escape and a reload, and is stored", async () => {
  await press(3, "c");
  await page.getByLabel("Comment on step 3").fill("Grace has written");
  await page.keyboard.press("Escape");
  await page.reload();
  await head(3).waitFor();
  await press(3, "c");
  const field = page.getByLabel("Comment on step 3");
  assert.equal(await field.inputValue(), "Grace has written");
  await field.pressSequentially(" one already.");
  await page.keyboard.press("Control+Enter");
  await card(3).getByText("Grace has written one already.").last().waitFor();
  await field.waitFor({ state: "detached" });
  assert.deepEqual((await now()).steps[2].comments.map((c) => c.text), ["Grace has written one already."]);
});

test("a step that two people edit loses the words of neither without saying so", async () => {
  await press(3, "e");
  await page.getByLabel("Title").fill("Test two resets");
  const { version, steps } = await now();
  const { title: _, id, number, decision, overridden, comments, complete, findings, source, ...content } = steps[2];
  await own.call("plans.edit_step", { plan, version, step: id, content: { ...content, title: "Test three resets", why: "Nothing covers three." } });
  await page.getByText("You both changed: title.", { exact: false }).waitFor();
  assert.equal(await page.getByLabel("Title").inputValue(), "Test two resets");
  assert.equal(await page.getByLabel("Why").inputValue(), "Nothing covers three.");
  await page.keyboard.press("Control+Enter");
  await page.getByText("Step 3 changed.", { exact: false }).first().waitFor();
  const after = await now();
  assert.deepEqual([after.version, after.steps[2].title, after.steps[2].why, after.steps[2].decision], [version + 2, "Test two resets", "Nothing covers three.", "open"]);
  assert.deepEqual(after.steps[2].operations, content.operations, "what was not touched is as it was");
});

test("versions are listed, two are compared, and an earlier one is taken up again", async () => {
  await page.getByRole("button", { name: "Versions" }).click();
  await page.getByText("As the model answered.").waitFor();
  assert.equal(await page.getByRole("dialog").getByRole("radio").count(), 4);
  await page.getByRole("radio", { name: /As the model answered/ }).click();
  await page.getByLabel("Version 1 compared with").selectOption("2");
  await page.getByText("step 2 was changed", { exact: true }).waitFor();
  await page.getByText(/Added: .*src\/send\.rs/).first().waitFor();
  await page.getByRole("button", { name: "Revert to version 1" }).click();
  await page.getByText("Version 1 is taken up again.", { exact: false }).first().waitFor();
  const { version, steps } = await now();
  assert.deepEqual([version, steps[1].operations[0].path, steps[2].title], [5, "src/sendd.rs", "Test a reset"]);
  await page.getByText("1 wrong").waitFor();
});

test("a model is asked to change one step, after an approval, and what came of it is shown", async () => {
  await sim.control({ style: "text", text: CHANGED });
  await sim.clear();
  await head(1).click();
  await card(1).getByRole("button", { name: "Ask for changes" }).click();
  await page.getByLabel("What is to change in step 1").fill("Use a Duration.");
  await page.keyboard.press("Control+Enter");
  await page.getByText("a change of one step of a plan").waitFor();
  assert.deepEqual(await sim.log(), [], "nothing leaves before it is approved");
  await page.getByRole("button", { name: /^Send/ }).first().click();
  await page.getByRole("group", { name: "Change of a step" }).getByText("A model changed a step: Use a Duration.").waitFor({ timeout: 30_000 });
  assert.equal((await now()).steps[0].title, "Let the policy say how often and how long");
  assert.match((await sim.log()).at(-1).body, /Use a Duration\./);
  await page.getByRole("button", { name: "Show change" }).click();
  await page.getByText(/Added: .*Let the policy say how often and how long/).first().waitFor();
});

test("the page reported no error of its own", () => {
  assert.deepEqual(troubles, []);
});
