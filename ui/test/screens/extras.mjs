/** Screens that need a hand: something opened, typed or pressed. */
const wide = ["desktop", "tablet"];

export const extras = [
  { name: "bottom", scenario: "files", async act(page) {
    await page.getByRole("checkbox", { name: "Include tests/config_test.rs" }).waitFor({ state: "attached", timeout: 200 }).catch(() => {});
    await page.locator("section[aria-label='Files'] ul, ul[aria-label='Source files']").first().evaluate((list) => {
      const box = list.closest("section").parentElement;
      box.scrollTop = box.scrollHeight;
    });
    await page.getByRole("checkbox", { name: "Include tests/config_test.rs" }).waitFor();
    await page.waitForTimeout(200);
  } },
  { name: "helpchange", scenario: "helpapplied", async act(page) {
    await page.getByRole("button", { name: "Show change" }).click();
    await page.getByRole("region", { name: "What changed" }).waitFor();
    await page.waitForTimeout(250);
  } },
  { name: "helpread", scenario: "helpdropped", async act(page) {
    await page.getByRole("button", { name: "Read it" }).click();
    await page.getByRole("button", { name: "Use it" }).waitFor();
    await page.waitForTimeout(250);
  } },
  // A character that turns the direction of the words is shown as what it is.
  { name: "helpunseen", scenario: "helpunseen", async act(page) {
    await page.getByRole("button", { name: "Show change" }).click();
    await page.getByTitle("U+202E").waitFor();
    await page.waitForTimeout(250);
  } },
  { name: "helpused", scenario: "helpdropped", async act(page) {
    await page.getByRole("button", { name: "Read it" }).click();
    await page.getByRole("button", { name: "Use it" }).click();
    await page.getByText("The suggested words are in the task.").waitFor();
    if (!(await page.getByLabel("Task in your words").inputValue()).includes("after the first `ConnectionError`")) throw new Error("the words are not in the task");
    await page.getByRole("group", { name: "Help with the task" }).waitFor({ state: "detached" });
  } },
  { name: "helpall", scenario: "merged", async act(page) {
    await page.getByRole("button", { name: /^Find files/ }).first().waitFor();
    const editor = page.getByLabel("Task in your words");
    await editor.fill("Make it gooder, and fast.");
    await page.getByRole("button", { name: /^Refine/ }).click();
    await page.getByText("the task put precisely").waitFor();
    await page.getByRole("button", { name: /^Send/ }).click();
    await page.getByText("A model's words are in the task.").waitFor();
    if ((await editor.inputValue()) !== "Make it better, and fast.") throw new Error("the suggestion is not in the editor");
    await page.getByRole("button", { name: "Undo" }).click();
    await page.getByText("The words from before are back.").waitFor();
    if ((await editor.inputValue()) !== "Make it gooder, and fast.") throw new Error("the words from before are not in the editor");
    await page.getByRole("group", { name: "Help with the task" }).waitFor({ state: "detached" });
  } },
  { name: "helpwish", scenario: "plan", async act(page) {
    await page.getByRole("link", { name: /^Task/ }).first().click();
    const editor = page.getByLabel("Task in your words");
    await editor.focus();
    await editor.evaluate((area) => area.setSelectionRange(area.value.indexOf("The client"), area.value.indexOf(" Add a RetryPolicy")));
    await page.getByRole("button", { name: /^Improve selection/ }).waitFor();
    await page.keyboard.press("Control+Shift+Enter");
    const wish = page.getByLabel("How it should be better");
    await wish.waitFor();
    await page.keyboard.press("Escape");
    await wish.waitFor({ state: "detached" });
    await page.getByRole("button", { name: /^Improve selection/ }).click();
    await wish.fill("Say which error.");
    await page.waitForTimeout(250);
  } },
  { name: "helpsent", scenario: "plan", async act(page) {
    await page.getByRole("link", { name: /^Task/ }).first().click();
    const editor = page.getByLabel("Task in your words");
    await editor.focus();
    await editor.evaluate((area) => area.setSelectionRange(area.value.indexOf("The client"), area.value.indexOf(" Add a RetryPolicy") + 1));
    await page.getByRole("button", { name: /^Improve selection/ }).click();
    await page.getByLabel("How it should be better").fill("Say which error.");
    await page.keyboard.press("Enter");
    await page.getByText("a passage in better words").waitFor();
    await page.waitForTimeout(500);
    if (!(await page.evaluate(() => location.hash)).includes("/approve/h")) throw new Error("the focus went back to the task and took the station along");
    const { params } = await page.evaluate(() => window.engine.seen.find((s) => s.method === "tasks.improve"));
    const task = await page.evaluate(() => window.engine.world.sessions[0].task);
    if (task.slice(params.start, params.end) !== "The client in src/http/client.rs gives up on the first connection error." || params.wish !== "Say which error.") throw new Error(`asked for ${JSON.stringify(params)}`);
    await page.getByRole("button", { name: /^Send/ }).click();
    await page.getByText("A model's words are in the task.").waitFor();
    await editor.press("End");
    await editor.pressSequentially("!");
    await page.getByRole("button", { name: "Undo" }).and(page.locator("[aria-disabled=true]")).waitFor();
  } },
  { name: "helponce", scenario: "plan", async act(page) {
    await page.getByRole("link", { name: /^Task/ }).first().click();
    const editor = page.getByLabel("Task in your words");
    await editor.focus();
    await editor.press("End");
    await editor.pressSequentially("!");
    // Before anything of the first is drawn or answered.
    await editor.evaluate((area) => {
      for (let i = 0; i < 3; i++) area.dispatchEvent(new KeyboardEvent("keydown", { key: "Enter", ctrlKey: true, shiftKey: true, bubbles: true, cancelable: true }));
    });
    await page.getByText("the task put precisely").waitFor();
    await page.waitForTimeout(400);
    const n = await page.evaluate(() => window.engine.seen.filter((s) => s.method === "tasks.refine").length);
    if (n !== 1) throw new Error(`asked ${n} times`);
  } },
  { name: "helpwhy", scenario: "helpnomodel", async act(page) {
    await page.getByRole("button", { name: /^Refine/ }).click();
    await page.getByText(/three ways/).waitFor();
    await page.waitForTimeout(200);
  } },
  { name: "approvalsgo", scenario: "approvalsof", async act(page) {
    await page.getByRole("link", { name: /For a plan|claude/ }).last().click();
    await page.getByText(/^Send/).first().waitFor();
    if (await page.getByText("the task put precisely").count()) throw new Error("the plan's row leads to another request");
    await page.goBack();
    await page.getByRole("link", { name: /For the task put precisely/ }).click();
    await page.getByText("the task put precisely").waitFor();
    await page.waitForTimeout(250);
  } },
  // Two presses of Send, and a held key, answer what was read and nothing that waits behind it.
  { name: "twosent", scenario: "twoasked", sizes: wide, async act(page) {
    const seen = (method) => page.evaluate((m) => window.engine.seen.filter((s) => s.method === m).length, method);
    await page.getByText("the task put precisely").waitFor();
    await page.getByRole("button", { name: /^Send/ }).dblclick();
    await page.waitForTimeout(400);
    if ((await seen("approvals.approve")) !== 1) throw new Error("two presses sent two requests");
    await page.evaluate(() => { location.hash = "#/session/s1/approve/h0"; });
    await page.getByText("a question about the code").waitFor();
    for (let i = 0; i < 4; i++) {
      await page.keyboard.down("Control");
      await page.keyboard.down("Enter");
    }
    await page.keyboard.up("Enter");
    await page.keyboard.up("Control");
    await page.getByText("Sent as approved.").waitFor();
    await page.waitForTimeout(400);
    if ((await seen("approvals.approve")) !== 2) throw new Error("a held key sent two requests");
    await page.getByText("a question about the code").waitFor();
    if (await page.getByRole("button", { name: /^Send/ }).count()) throw new Error("another request took the place of the one that was answered");
    await page.getByRole("link", { name: "1 more waits" }).click();
    await page.getByRole("button", { name: /^Send/ }).waitFor();
    await page.goBack();
    await page.getByText("Sent as approved.").waitFor();
  } },
  // A job that asks again does not put its next request under the hand that answered the one before.
  { name: "asksagain", scenario: "twoasked", async act(page) {
    await page.evaluate(() => { location.hash = "#/session/s1/approve/h0"; });
    await page.getByText("a question about the code").waitFor();
    await page.getByRole("button", { name: /^Send/ }).click();
    await page.getByText("Sent as approved.").waitFor();
    await page.evaluate(() => {
      const { engine } = window;
      const old = engine.world.others.find((m) => m.job === "h0");
      engine.setManifest({ ...old, id: "ah0b", purpose: "a second question", state: "waiting", fingerprint: "0b".repeat(32) });
      engine.tell({ topic: "job", id: "h0" });
    });
    const next = page.getByRole("button", { name: "See what it asks next" });
    await next.waitFor();
    await page.getByText("a question about the code").waitFor();
    if (await page.getByRole("button", { name: /^Send/ }).count()) throw new Error("the next request took the place of the one before");
    await next.click();
    await page.getByText("a second question").waitFor();
    await page.getByRole("button", { name: /^Send/ }).waitFor();
  } },
  // What was answered elsewhere while it was read stays, as what became of it.
  { name: "answeredelsewhere", scenario: "twoasked", async act(page) {
    await page.getByText("the task put precisely").waitFor();
    await page.evaluate(() => {
      const { engine } = window;
      engine.world.jobs = engine.world.jobs.map((j) => (j.id === "h1" ? { ...j, state: "canceled", note: "Not sent: you refused." } : j));
      engine.setManifest({ ...engine.world.others[0], state: "refused" });
      engine.tell({ topic: "job", id: "h1" });
    });
    await page.getByText("Not sent. Nothing left this machine.").waitFor();
    await page.getByText("the task put precisely").waitFor();
    await page.getByRole("link", { name: "2 more wait" }).waitFor();
    if (await page.getByRole("button", { name: /^Send/ }).count()) throw new Error("another request took its place");
  } },
  { name: "latelisted", scenario: "notlisted", async act(page) {
    await page.getByText("This does not exist any more.").first().waitFor();
    if (await page.getByRole("button", { name: /^Send/ }).count()) throw new Error("another request is shown for the one of the address");
  } },
  { name: "elsewhere", scenario: "otherasked", async act(page) {
    await page.getByText("This request belongs to another session.").first().waitFor();
    if (await page.getByRole("button", { name: /^Send/ }).count()) throw new Error("a request of this session is shown for one of another");
  } },
  { name: "pill", scenario: "streaming", sizes: ["phone"], async act(page) {
    await page.locator("[data-step]").nth(0).click();
    await page.locator("[data-step]").nth(1).click();
    await page.getByRole("button", { name: /new step/ }).waitFor();
  } },
  { name: "palette", scenario: "plan", async act(page) {
    await page.keyboard.press("Control+k");
    await page.getByRole("combobox").fill("pl");
    await page.waitForTimeout(200);
  } },
  { name: "keys", scenario: "files", sizes: wide, async act(page) {
    await page.keyboard.press("?");
    await page.waitForTimeout(200);
  } },
  { name: "account", scenario: "plan", sizes: wide, async act(page) {
    await page.getByRole("button", { name: "Account and models" }).click();
    await page.waitForTimeout(250);
  } },
  { name: "signin", scenario: "plan", sizes: wide, async act(page) {
    await page.getByRole("button", { name: "Account and models" }).click();
    await page.getByLabel("Server", { exact: false }).first().fill("https://plans.example");
    await page.getByRole("button", { name: "Sign in", exact: true }).click();
    await page.getByRole("link", { name: "Open the page" }).waitFor();
    await page.waitForTimeout(250);
  } },
  { name: "signincode", scenario: "plan", sizes: wide, async act(page) {
    await page.getByRole("button", { name: "Account and models" }).click();
    await page.getByLabel("Server", { exact: false }).first().fill("https://plans.example");
    await page.getByRole("button", { name: "Use a code instead" }).click();
    await page.getByText("WDJB-MJHT").waitFor();
    await page.waitForTimeout(250);
  } },
  { name: "steps", scenario: "plan", async act(page) {
    await page.locator("[data-step]").nth(1).click();
    await page.locator("[data-step]").nth(2).click();
    await page.waitForTimeout(200);
  } },
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
  { name: "acceptall", scenario: "reviewed", async act(page) {
    await page.getByRole("button", { name: "Accept all open steps" }).click();
    await page.getByText("5 of 6 accepted").waitFor();
    await page.getByText("Held back: 1 with errors, 1 rejected").waitFor();
    await page.getByRole("button", { name: "Accept all open steps" }).waitFor({ state: "detached" });
    await page.waitForTimeout(150);
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
  { name: "exact", scenario: "approve", async act(page) {
    await page.locator("details summary").nth(1).click();
    await page.waitForTimeout(200);
  } },
  { name: "asked", scenario: "mismatch", async act(page) {
    await page.getByRole("button", { name: /^Send/ }).click();
    await page.waitForTimeout(200);
  } },
  { name: "searching", scenario: "finding", async act(page) {
    await page.getByRole("button", { name: /Find files/ }).last().click();
    await page.waitForTimeout(1300);
  } },
  { name: "jobspop", scenario: "streaming", sizes: wide, async act(page) {
    await page.getByRole("button", { name: /under way/ }).click();
    await page.waitForTimeout(250);
  } },
  { name: "picker", scenario: "files", async act(page) {
    await page.getByRole("combobox", { name: /Model/ }).click();
    await page.waitForTimeout(250);
  } },
  { name: "addurl", scenario: "nomodel", async act(page) {
    await page.getByRole("button", { name: /No model/ }).click();
    await page.getByRole("button", { name: "Add a URL" }).click();
    await page.waitForTimeout(200);
  } },
  { name: "start", scenario: "running", async act(page) {
    await page.getByRole("button", { name: "Start a terminal" }).click();
    await page.waitForTimeout(250);
  } },
  { name: "handover", scenario: "pane", async act(page) {
    await page.getByRole("button", { name: "Hand over to a terminal" }).click();
    await page.getByRole("radio").first().waitFor();
    await page.waitForTimeout(250);
  } },
  { name: "handed", scenario: "pane", async act(page) {
    await page.getByRole("button", { name: "Hand over to a terminal" }).click();
    await page.getByRole("button", { name: "Hand over", exact: true }).last().click();
    await page.getByText(/Nothing was submitted/).waitFor();
    await page.waitForTimeout(250);
  } },
  { name: "handedfile", scenario: "pane", async act(page) {
    await page.locator("[data-step]").nth(2).click();
    await page.getByRole("button", { name: "Hand over step 3" }).click();
    await page.getByRole("radio", { name: /shell/ }).click();
    await page.getByRole("button", { name: "Hand over", exact: true }).last().click();
    await page.getByText(/its path was typed/).waitFor();
    await page.waitForTimeout(250);
  } },
  { name: "end", scenario: "terminal", async act(page) {
    await page.getByRole("button", { name: "End", exact: true }).click();
    await page.waitForTimeout(250);
  } },
  { name: "gap", scenario: "exited", async act(page) {
    await page.getByRole("button", { name: "Read it" }).click();
    await page.waitForTimeout(300);
  } },
  { name: "refused", scenario: "running", sizes: wide, async act(page) {
    await page.getByRole("tab", { name: /shell/ }).click();
    await page.getByRole("textbox", { name: "Type into shell" }).waitFor();
    await page.evaluate(() => {
      const data = new DataTransfer();
      data.setData("text/plain", "one\ntwo\n");
      document.querySelector("[data-terminal] textarea").dispatchEvent(new ClipboardEvent("paste", { clipboardData: data, bubbles: true, cancelable: true }));
    });
    await page.getByText("Not pasted.").waitFor();
  } },
  { name: "pair", scenario: "nodevices", async act(page) {
    await page.getByRole("button", { name: "Pair a device" }).click();
    await page.getByRole("img", { name: /Pairing code/ }).waitFor();
    await page.waitForTimeout(250);
  } },
  { name: "pairwords", scenario: "nodevices", async act(page) {
    await page.getByRole("button", { name: "Pair a device" }).click();
    await page.getByText("Type words instead").click();
    await page.waitForTimeout(250);
  } },
  { name: "digits", scenario: "arrival", async act(page) {
    await page.getByRole("button", { name: "Pair a device" }).click();
    await page.getByLabel("Six digits").fill("123456");
    await page.getByRole("button", { name: "Pair", exact: true }).click();
    await page.getByText(/2 tries are left/).first().waitFor();
    await page.waitForTimeout(250);
  } },
  { name: "paired", scenario: "arrival", sizes: ["desktop", "phone"], async act(page) {
    await page.getByRole("button", { name: "Pair a device" }).click();
    await page.getByLabel("Six digits").fill("428 113");
    await page.getByRole("button", { name: "Pair", exact: true }).click();
    await page.getByText("Chrome on Android is paired.").waitFor();
    await page.waitForTimeout(250);
  } },
  { name: "scopes", scenario: "devices", async act(page) {
    await page.getByRole("button", { name: /Change what it may do: Chrome/ }).click();
    await page.waitForTimeout(250);
  } },
  { name: "revoke", scenario: "devices", async act(page) {
    await page.getByRole("button", { name: /Revoke Chrome/ }).click();
    await page.waitForTimeout(250);
  } },
  { name: "phonetyping", scenario: "phonewords", sizes: ["phone", "phone412"], async act(page) {
    await page.getByLabel("Twelve words").fill("Ripple amber castle or");
    await page.waitForTimeout(150);
  } },
  { name: "phonedigits", scenario: "phonecode", sizes: ["phone", "phone412"], async act(page) {
    await page.getByRole("button", { name: "Pair" }).click();
    await page.getByText("Type these digits at lab").waitFor();
    await page.waitForTimeout(150);
  } },
  { name: "phoneforget", scenario: "phonemore", sizes: ["phone", "phone412"], async act(page) {
    await page.getByRole("button", { name: "Forget this desktop" }).click();
    await page.waitForTimeout(250);
  } },
  { name: "phoneprints", scenario: "phonemore", sizes: ["phone", "phone412"], async act(page) {
    await page.getByText("Fingerprint", { exact: true }).click();
    await page.waitForTimeout(150);
  } },
  { name: "phoneheld", scenario: "phoneterminal", sizes: ["phone", "phone412"], async act(page) {
    await page.getByRole("button", { name: "Ctrl", exact: true }).click();
    await page.getByLabel("Text to send").fill("yes, and run\nevery test");
    await page.waitForTimeout(150);
  } },
  { name: "undo", scenario: "sessions", async act(page) {
    await page.getByRole("button", { name: /Delete session/ }).nth(1).click();
    await page.waitForTimeout(300);
  } },
];
