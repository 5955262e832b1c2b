/** Screens of a review: what a person does with the steps of a plan, and what comes of it. */
const wide = ["desktop", "tablet"];

export const review = [
  // Keys decide about the step that has the focus, the closed card says so, and the banner counts.
  { name: "decide", scenario: "plan", async act(page, size) {
    const heads = page.locator("[data-step]");
    await heads.nth(0).focus();
    await page.keyboard.press("a");
    await page.getByRole("status").getByText("Step 1 accepted.").waitFor({ state: "attached" });
    await page.keyboard.press("j");
    await page.keyboard.press("a");
    await page.getByRole("status").getByText("Step 2 accepted, and held back").waitFor({ state: "attached" });
    for (const _ of [3, 4]) await page.keyboard.press("j");
    await page.keyboard.press("x");
    await page.getByText("2 of 6 accepted").waitFor();
    await page.getByText("Held back: 1 with errors, 3 open, 1 rejected").waitFor();
    if (!/rejected/.test(await heads.nth(3).innerText())) throw new Error("the closed card does not say that it was rejected");
    await page.keyboard.press("o");
    await page.getByText("Held back: 1 with errors, 4 open").waitFor();
    await heads.nth(0).click();
    await page.getByRole("button", { name: "Reject", exact: false }).first().click();
    await page.getByText("1 of 6 accepted").waitFor();
    if (size.startsWith("phone")) {
      const small = await page.locator("[data-card] [role=group] button").evaluateAll((all) => all.map((b) => b.getBoundingClientRect().height).filter((h) => h < 44));
      if (small.length > 0) throw new Error(`a finger misses ${small.length} buttons`);
    }
    await page.waitForTimeout(150);
  } },
  // A key decides about nothing when no step has the focus.
  { name: "decidenone", scenario: "plan", sizes: wide, async act(page) {
    await page.getByRole("heading", { name: "Plan", exact: true }).click();
    await page.keyboard.press("a");
    await page.getByText("Go to a step first", { exact: false }).first().waitFor();
    if (await page.evaluate(() => window.engine.seen.some((s) => s.method === "plans.decide"))) throw new Error("a step was decided about that nobody had chosen");
  } },
  // Who may not have files read is told so, and nothing is asked.
  { name: "verifynone", scenario: "reviewonly", sizes: ["desktop", "phone"], async act(page, size) {
    if (size === "phone") {
      await page.getByRole("button", { name: "More of the plan" }).click();
      await page.getByRole("menuitem", { name: "Check again" }).getByText("may not do this", { exact: false }).waitFor();
    } else {
      const button = page.getByRole("button", { name: "Check again" });
      await button.focus();
      await page.keyboard.press("Enter");
      await button.hover();
      await page.getByText("may not do this", { exact: false }).first().waitFor();
    }
    if (await page.evaluate(() => window.engine.seen.some((s) => s.method === "plans.verify"))) throw new Error("it was asked all the same");
    await page.waitForTimeout(250);
  } },
  { name: "acceptall", scenario: "reviewed", async act(page) {
    await page.getByRole("button", { name: "Accept all open steps" }).click();
    await page.getByText("5 of 6 accepted").waitFor();
    await page.getByText("Held back: 1 with errors, 1 rejected").waitFor();
    await page.getByRole("button", { name: "Accept all open steps" }).waitFor({ state: "detached" });
    await page.waitForTimeout(150);
  } },
  // One press takes it back.
  { name: "acceptnone", scenario: "reviewed", sizes: ["desktop", "phone"], async act(page) {
    const decisions = () => page.evaluate(() => window.engine.world.plans[0].steps.map((s) => s.decision).join());
    const before = await decisions();
    await page.getByRole("button", { name: "Accept all open steps" }).click();
    await page.getByText("5 of 6 accepted").waitFor();
    await page.getByRole("button", { name: "Undo" }).click();
    await page.getByRole("button", { name: "Accept all open steps" }).waitFor();
    if ((await decisions()) !== before) throw new Error(`decided: ${await decisions()}`);
    await page.waitForTimeout(250);
  } },
  // An error is overridden openly: the question names it, and Escape leaves everything as it was.
  { name: "override", scenario: "reviewed", async act(page) {
    await page.locator("[data-step]").nth(1).click();
    await page.getByRole("button", { name: "Override errors" }).click();
    await page.getByRole("dialog").getByText("There is no file").waitFor();
    await page.keyboard.press("Escape");
    await page.getByRole("dialog").waitFor({ state: "detached" });
    if (await page.evaluate(() => window.engine.world.plans[0].steps[1].overridden)) throw new Error("Escape has overridden");
    await page.getByRole("button", { name: "Override errors" }).click();
    await page.getByRole("dialog").waitFor();
    await page.waitForTimeout(250);
  } },
  { name: "overridden", scenario: "reviewed", async act(page) {
    await page.locator("[data-step]").nth(1).click();
    await page.getByRole("button", { name: "Override errors" }).click();
    await page.getByRole("button", { name: "Accept despite errors" }).click();
    await page.getByText("despite errors", { exact: true }).waitFor();
    await page.getByText("Held back: 2 open, 1 rejected").waitFor();
    await page.waitForTimeout(250);
  } },
  // Somebody else was faster: nothing is decided, the newer step is shown, and it is said.
  { name: "decideconflict", scenario: "plan", async act(page) {
    await page.evaluate(() => { window.engine.world.plans = window.engine.world.plans.map((p) => (p.id === "plan1" ? { ...p, version: 5, steps: p.steps.map((s) => (s.id === "s3" ? { ...s, title: "Read the policy from a file of its own" } : s)) } : p)); });
    await page.locator("[data-step]").nth(2).focus();
    await page.keyboard.press("a");
    await page.getByText("it is at version 5", { exact: false }).first().waitFor();
    await page.getByText("Read the policy from a file of its own").waitFor();
    await page.getByText("What is shown is the plan as it is now", { exact: false }).waitFor();
    await page.getByText("0 of 6 accepted").waitFor();
    await page.waitForTimeout(150);
  } },
  // F applies the fix that is offered, the finding is gone, and one press takes it back.
  { name: "fix", scenario: "reviewed", async act(page) {
    await page.locator("[data-step]").nth(1).click();
    await page.getByText("Use the path", { exact: false }).waitFor();
    await page.keyboard.press("f");
    await page.getByText("Step 2 repaired; nothing is found in it now. Changed, and so open again: step 2.").first().waitFor();
    await page.getByText("every path checked").or(page.getByText("1 to check")).first().waitFor();
    if (await page.evaluate(() => document.activeElement.closest("[data-card]")?.dataset.card) !== "s2") throw new Error("the focus was lost with the button");
    await page.waitForTimeout(250);
    // What says so does not take the keys away.
    await page.keyboard.press("a");
    await page.getByText("3 of 6 accepted").waitFor();
  } },
  { name: "unfix", scenario: "plan", sizes: ["desktop", "phone"], async act(page) {
    await page.locator("[data-step]").nth(1).click();
    await page.getByRole("button", { name: "Apply fix" }).click();
    await page.getByRole("button", { name: "Undo" }).click();
    await page.getByText("Version 1 is taken up again.").first().waitFor();
    await page.getByText("Use the path", { exact: false }).waitFor();
    if (await page.evaluate(() => window.engine.world.plans[0].version) !== 3) throw new Error("taking back is a version too");
    await page.waitForTimeout(250);
  } },
  // C opens a field, Escape closes it and loses nothing, Mod+Enter stores.
  { name: "comment", scenario: "reviewed", async act(page) {
    await page.locator("[data-step]").nth(2).focus();
    await page.keyboard.press("c");
    const field = page.getByLabel("Comment on step 3");
    await field.fill("Three attempts are what the");
    await page.keyboard.press("Escape");
    await field.waitFor({ state: "detached" });
    await page.waitForTimeout(50);
    if (await page.evaluate(() => document.activeElement.closest("[data-card]")?.dataset.card) !== "s3") throw new Error("Escape does not lead back to the step");
    await page.keyboard.press("c");
    if ((await field.inputValue()) !== "Three attempts are what the") throw new Error("Escape has lost the words");
    await field.pressSequentially(" documents say.");
    await page.waitForTimeout(250);
  } },
  { name: "commented", scenario: "plan", async act(page) {
    await page.locator("[data-step]").nth(3).focus();
    await page.keyboard.press("c");
    await page.getByLabel("Comment on step 4").fill("Why move it?");
    await page.keyboard.press("Control+Enter");
    await page.getByRole("listitem").filter({ hasText: "Why move it?" }).last().waitFor();
    await page.getByLabel("Comment on step 4").waitFor({ state: "detached" });
    await page.keyboard.press("c");
    if ((await page.getByLabel("Comment on step 4").inputValue()) !== "") throw new Error("what was stored is still a draft");
    await page.keyboard.press("Escape");
    await page.waitForTimeout(150);
  } },
  { name: "commentfails", scenario: "nocomment", sizes: ["desktop", "phone"], async act(page) {
    await page.locator("[data-step]").nth(3).focus();
    await page.keyboard.press("c");
    await page.getByLabel("Comment on step 4").fill("Why move it?");
    await page.keyboard.press("Control+Enter");
    await page.getByText("The database could not be written.").first().waitFor();
    if ((await page.getByLabel("Comment on step 4").inputValue()) !== "Why move it?") throw new Error("a failure has lost the words");
    await page.waitForTimeout(150);
  } },
  // E opens the form of a step; Escape keeps what was typed; storing sends the version that was shown and the whole step.
  { name: "edit", scenario: "reviewed", async act(page) {
    await page.locator("[data-step]").nth(1).focus();
    await page.keyboard.press("e");
    const title = page.getByLabel("Title");
    await title.waitFor();
    if ((await title.inputValue()) !== "Retry in Client::send") throw new Error(`the key was typed: ${await title.inputValue()}`);
    if (!(await title.evaluate((e) => e === document.activeElement))) throw new Error("the form has not the focus");
    await page.waitForTimeout(250);
  } },
  { name: "editkept", scenario: "reviewed", async act(page) {
    await page.locator("[data-step]").nth(1).focus();
    await page.keyboard.press("e");
    await page.getByLabel("Title").fill("Retry in Client::send, at most three times");
    await page.keyboard.press("Escape");
    await page.getByRole("dialog").waitFor({ state: "detached" });
    await page.waitForTimeout(50);
    if (await page.evaluate(() => document.activeElement.closest("[data-card]")?.dataset.card) !== "s2") throw new Error("Escape does not lead back to the step");
    if (await page.evaluate(() => window.engine.seen.some((s) => s.method === "plans.edit_step"))) throw new Error("Escape has stored");
    await page.keyboard.press("e");
    await page.getByText("What you began is here again", { exact: false }).waitFor();
    if ((await page.getByLabel("Title").inputValue()) !== "Retry in Client::send, at most three times") throw new Error("Escape has lost the words");
    await page.waitForTimeout(250);
  } },
  { name: "edited", scenario: "reviewed", async act(page) {
    await page.locator("[data-step]").nth(1).focus();
    await page.keyboard.press("e");
    await page.getByLabel("File", { exact: true }).fill("src/http/client.rs");
    await page.getByLabel("Last line").fill("48");
    await page.getByLabel("Change", { exact: true }).fill("for attempt in 0..3 {}");
    await page.keyboard.press("Control+Enter");
    await page.getByText("Step 2 changed. Changed, and so open again: step 2.").first().waitFor();
    await page.getByLabel("Title").waitFor({ state: "detached" });
    const { params } = await page.evaluate(() => window.engine.seen.find((s) => s.method === "plans.edit_step"));
    const { version, step, content, position } = params;
    if (version !== 1 || step !== "s2" || position !== undefined) throw new Error(JSON.stringify(params));
    const [operation] = content.operations;
    if (operation.path !== "src/http/client.rs" || operation.lines.join() !== "40,48" || operation.change !== "for attempt in 0..3 {}" || operation.symbol !== "Client::send") throw new Error(JSON.stringify(operation));
    if (content.commands.join() !== "cargo test -p courier http::client" || content.depends.join() !== "1" || content.confidence !== "medium") throw new Error(JSON.stringify(content));
    await page.locator("[data-step]").nth(1).click();
    await page.getByText("for attempt in 0..3 {}").waitFor();
    await page.waitForTimeout(250);
  } },
  { name: "editwrong", scenario: "reviewed", async act(page) {
    await page.locator("[data-step]").nth(1).focus();
    await page.keyboard.press("e");
    await page.getByLabel("Title").fill("  ");
    await page.getByLabel("First line").fill("forty");
    await page.getByLabel("After steps").fill("1, 9");
    await page.keyboard.press("Control+Enter");
    for (const text of ["A step needs a title.", "Lines are whole numbers from 1.", "There is no step 9 that could come before."]) await page.getByText(text).waitFor();
    if (await page.evaluate(() => window.engine.seen.some((s) => s.method === "plans.edit_step"))) throw new Error("a wrong form was sent");
    await page.getByLabel("Title").scrollIntoViewIfNeeded();
    await page.waitForTimeout(250);
  } },
  // Somebody else changes the step meanwhile: what was typed stays, theirs is shown, and storing again works.
  { name: "editboth", scenario: "reviewed", async act(page) {
    await page.locator("[data-step]").nth(1).focus();
    await page.keyboard.press("e");
    await page.getByLabel("Title").fill("Mine");
    await page.evaluate(() => { window.engine.world.plans = window.engine.world.plans.map((p) => (p.id === "plan1" ? { ...p, version: 5, steps: p.steps.map((s) => (s.id === "s2" ? { ...s, title: "Theirs", why: "Because of Grace." } : s)) } : p)); });
    await page.keyboard.press("Control+Enter");
    await page.getByText("it is at version 5", { exact: false }).first().waitFor();
    await page.getByText("You both changed: title.", { exact: false }).waitFor();
    if ((await page.getByLabel("Title").inputValue()) !== "Mine") throw new Error("a conflict has lost the words");
    if ((await page.getByLabel("Why").inputValue()) !== "Because of Grace.") throw new Error("what was not touched is not the newer");
    await page.getByText("What changed elsewhere").click();
    await page.waitForTimeout(250);
  } },
  { name: "editagain", scenario: "reviewed", sizes: ["desktop", "phone"], async act(page) {
    await page.locator("[data-step]").nth(1).focus();
    await page.keyboard.press("e");
    await page.getByLabel("Title").fill("Mine");
    await page.evaluate(() => { window.engine.world.plans = window.engine.world.plans.map((p) => (p.id === "plan1" ? { ...p, version: 5, steps: p.steps.map((s) => (s.id === "s2" ? { ...s, title: "Theirs" } : s)) } : p)); });
    await page.keyboard.press("Control+Enter");
    await page.getByText("You both changed: title.", { exact: false }).waitFor();
    await page.keyboard.press("Control+Enter");
    await page.getByText("Step 2 changed.", { exact: false }).first().waitFor();
    await page.locator("[data-step]").filter({ hasText: "Mine" }).waitFor();
    await page.waitForTimeout(250);
  } },
  { name: "stepremoved", scenario: "reviewed", sizes: ["desktop", "phone"], async act(page) {
    await page.locator("[data-step]").nth(3).focus();
    await page.keyboard.press("e");
    await page.getByRole("button", { name: "Remove step" }).click();
    await page.getByText("Step 4 removed.").first().waitFor();
    await page.getByText("3 of 5 accepted").waitFor();
    await page.getByRole("button", { name: "Undo" }).click();
    await page.getByText("3 of 6 accepted").waitFor();
    await page.waitForTimeout(250);
  } },
  // A model is asked about one step: the request is shown first, and what came of it is told at the plan.
  { name: "askstep", scenario: "reviewed", async act(page) {
    await page.locator("[data-step]").nth(0).click();
    await page.getByRole("button", { name: "Ask for changes" }).click();
    await page.getByLabel("What is to change in step 1").fill("Let the jitter be given by the caller.");
    await page.waitForTimeout(250);
  } },
  { name: "stepasked", scenario: "reviewed", async act(page) {
    await page.locator("[data-step]").nth(0).click();
    await page.getByRole("button", { name: "Ask for changes" }).click();
    await page.getByLabel("What is to change in step 1").fill("Let the jitter be given by the caller.");
    await page.keyboard.press("Control+Enter");
    await page.getByText("a change of one step of a plan").waitFor();
    await page.waitForTimeout(400);
    if (!/\/approve\/r/.test(await page.evaluate(() => location.hash))) throw new Error("the focus took the station along");
  } },
  { name: "stepwaits", scenario: "reviewed", sizes: ["desktop", "phone"], async act(page) {
    await page.locator("[data-step]").nth(0).click();
    await page.getByRole("button", { name: "Ask for changes" }).click();
    await page.getByLabel("What is to change in step 1").fill("Let the jitter be given by the caller.");
    await page.keyboard.press("Control+Enter");
    await page.getByText("a change of one step of a plan").waitFor();
    await page.evaluate(() => { location.hash = "#/session/s1/plan/plan1"; });
    await page.getByText("A request to change a step waits for your approval.").waitFor();
    await page.getByRole("link", { name: "Look at it" }).click();
    await page.getByRole("button", { name: /^Send/ }).click();
    await page.getByText("A model changed a step.").first().waitFor();
    await page.getByText("2 of 6 accepted").waitFor();
    await page.waitForTimeout(250);
  } },
  { name: "continue", scenario: "cut", async act(page) {
    await page.getByRole("button", { name: "Continue the plan" }).click();
    await page.getByText("the rest of a plan that was cut").waitFor();
    // The plan that was cut stays in sight for as long as there is no other.
    await page.getByRole("button", { name: /^Don't send/ }).click();
    await page.getByText("Nothing left this machine", { exact: false }).first().waitFor();
    await page.getByRole("link", { name: /^Plan/ }).first().click();
    await page.getByRole("button", { name: "Continue the plan" }).waitFor();
    await page.getByRole("button", { name: "Continue the plan" }).click();
    await page.getByText("the rest of a plan that was cut").waitFor();
    await page.waitForTimeout(400);
  } },
  // Versions: what differs between two, and the way back to one of them.
  { name: "versions", scenario: "reviewed", async act(page, size) {
    await page.locator("[data-step]").nth(1).focus();
    await page.keyboard.press("f");
    await page.getByText("Step 2 repaired", { exact: false }).first().waitFor();
    await page.locator("[data-step]").nth(0).focus();
    await page.keyboard.press("e");
    await page.getByLabel("Title").fill("Add RetryPolicy with attempts, first delay and spread");
    await page.keyboard.press("Control+Enter");
    await page.getByText("Step 1 changed.", { exact: false }).first().waitFor();
    await page.getByLabel("Title").waitFor({ state: "detached" });
    if (size.startsWith("phone")) {
      await page.getByRole("button", { name: "More of the plan" }).click();
      await page.getByRole("menuitem", { name: "Versions" }).click();
    } else await page.getByRole("button", { name: "Versions" }).click();
    await page.getByText("step 1 was changed", { exact: true }).waitFor();
    await page.getByText("Added: Add RetryPolicy with attempts, first delay and spread").waitFor();
    await page.getByLabel("Version 3 compared with").selectOption("1");
    await page.getByText("step 2 was changed", { exact: true }).waitFor();
    await page.waitForTimeout(250);
  } },
  { name: "reverted", scenario: "reviewed", sizes: ["desktop"], async act(page) {
    await page.locator("[data-step]").nth(1).focus();
    await page.keyboard.press("f");
    await page.getByText("Step 2 repaired", { exact: false }).first().waitFor();
    await page.getByRole("button", { name: "Versions" }).click();
    await page.getByRole("radio", { name: /As the model answered/ }).click();
    await page.getByRole("button", { name: "Revert to version 1" }).click();
    await page.getByText("Version 1 is taken up again.").first().waitFor();
    await page.getByRole("radio").first().waitFor({ state: "detached" });
    await page.getByText("1 wrong, 1 to check").waitFor();
    const { params } = await page.evaluate(() => window.engine.seen.find((s) => s.method === "plans.revert"));
    if (params.version !== 2 || params.to !== 1) throw new Error(JSON.stringify(params));
    await page.waitForTimeout(250);
  } },
  { name: "oneversion", scenario: "plan", sizes: ["desktop"], async act(page) {
    await page.getByRole("button", { name: "Versions" }).click();
    await page.getByText("As the model answered.").waitFor();
    await page.waitForTimeout(250);
  } },
  { name: "stepadded", scenario: "reviewed", sizes: ["desktop", "phone"], async act(page) {
    await page.getByRole("button", { name: "Add a step" }).click();
    await page.getByLabel("Title").fill("Say so in the changelog");
    await page.getByLabel("File", { exact: true }).fill("docs/configuration.md");
    await page.getByLabel("Place in the plan").fill("1");
    await page.getByRole("button", { name: /^Add step/ }).click();
    await page.getByText("Step 1 added.").first().waitFor();
    await page.getByLabel("Title").waitFor({ state: "detached" });
    if (!/Say so in the changelog/.test(await page.locator("[data-step]").first().innerText())) throw new Error("the new step is not where it was to be");
    await page.getByText("3 of 7 accepted").waitFor();
    await page.waitForTimeout(250);
    if (!/Say so in the changelog/.test(await page.evaluate(() => document.activeElement.textContent))) throw new Error("the new step has not the focus");
  } },
  { name: "saved", scenario: "reviewed", sizes: ["desktop", "phone"], async act(page) {
    await page.getByRole("button", { name: /^Export|More of the plan/ }).click();
    await page.getByRole("menuitem", { name: "Save into the repository" }).click();
    await page.getByText("Saved as .plantocode/plans/", { exact: false }).first().waitFor();
    await page.waitForTimeout(250);
  } },
  // Plans side by side, where they differ, and a plan made of steps of both.
  { name: "compare", scenario: "twoplans", async act(page) {
    await page.getByRole("button", { name: "Plans of this session" }).click();
    await page.getByRole("menuitem", { name: "Compare plans" }).click();
    await page.getByText("is changed by one and removed by another", { exact: false }).waitFor();
    await page.waitForTimeout(250);
  } },
  { name: "merged2", scenario: "twoplans", sizes: ["desktop", "phone"], async act(page) {
    await page.getByRole("button", { name: "Plans of this session" }).click();
    await page.getByRole("menuitem", { name: "Compare plans" }).click();
    await page.getByRole("checkbox", { name: /Remove the old single-attempt wrapper/ }).click();
    await page.getByRole("checkbox", { name: /Let the single-attempt wrapper/ }).click();
    await page.getByRole("button", { name: "Make a plan of 7 steps" }).click();
    await page.getByText("Made a plan of 7 steps from 2 plans.").first().waitFor();
    await page.getByText("0 of 7 accepted").waitFor();
    const { params } = await page.evaluate(() => window.engine.seen.find((s) => s.method === "plans.merge"));
    if (params.steps.map((s) => `${s.plan}:${s.step}`).join() !== "plan1:1,plan1:2,plan1:3,plan1:4,plan2:3,plan1:6,plan2:4") throw new Error(JSON.stringify(params));
    await page.locator("[data-step]").nth(4).click();
    await page.getByText("taken from step 3 of another plan", { exact: false }).waitFor();
    await page.waitForTimeout(250);
  } },
  // Everything that a review can do stands under `?` and in the palette.
  { name: "reviewkeys", scenario: "reviewed", sizes: wide, async act(page) {
    await page.locator("[data-step]").nth(0).focus();
    await page.keyboard.press("?");
    for (const label of ["Accept step", "Reject step", "Reopen step", "Comment on step", "Edit step", "Apply the first fix"]) await page.getByRole("dialog").getByRole("listitem").filter({ hasText: label }).waitFor();
    await page.waitForTimeout(200);
  } },
  { name: "reviewpalette", scenario: "reviewed", sizes: ["desktop"], async act(page) {
    await page.locator("[data-step]").nth(2).focus();
    await page.keyboard.press("Control+k");
    await page.getByRole("combobox").fill("accept step");
    await page.keyboard.press("Enter");
    await page.getByText("4 of 6 accepted").waitFor();
    if (!/accepted/.test(await page.locator("[data-step]").nth(2).innerText())) throw new Error("another step was accepted");
  } },
  { name: "handreviewed", scenario: "reviewed", sizes: ["desktop", "phone"], async act(page) {
    await page.getByRole("button", { name: "Hand over to a terminal" }).click();
    await page.getByText("2 of 6 steps go. Held back by review: steps 2, 3, 4, 6.").waitFor();
    await page.getByLabel("Also 2 steps that nobody decided about").click();
    await page.getByText("4 of 6 steps go. Held back by review: steps 2, 4.").waitFor();
    await page.waitForTimeout(250);
  } },
];
