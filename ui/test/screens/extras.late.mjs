/** Screens of answers that come when one has gone on meanwhile. */
const seen = (page, method) => page.evaluate((m) => window.engine.seen.filter((s) => s.method === m).map((s) => s.params), method);
const hold = (page, method) => page.evaluate((m) => { window.engine.world.hold = [m]; }, method);
const release = (page) => page.evaluate(() => window.engine.release());
const at = (page) => page.evaluate(() => location.hash);

export const late = [
  // One stays where one has gone, and is told with a way there.
  { name: "planlate", scenario: "files", async act(page) {
    await hold(page, "plans.start");
    await page.getByRole("button", { name: /^Make a plan/ }).click();
    await page.evaluate(() => { location.hash = "#/terminals"; });
    await page.getByRole("heading", { name: "Terminals" }).waitFor();
    await release(page);
    await page.getByText("A request waits for your approval.").first().waitFor();
    if ((await at(page)) !== "#/terminals") throw new Error(`the answer led to ${await at(page)}`);
    await page.waitForTimeout(250);
  } },
  // A request that is being put together still waits for nobody.
  { name: "planprepares", scenario: "files", sizes: ["desktop", "phone"], async act(page) {
    await page.evaluate(() => {
      const { engine } = window;
      const { tell } = engine;
      const start = engine.unary["plans.start"];
      engine.unary["plans.start"] = (params) => {
        const { approval: _, ...job } = { ...start(params), state: "queued", note: "Queued." };
        engine.world.jobs = [job];
        tell.call(engine, { topic: "job", id: job.id });
        return job;
      };
    });
    await hold(page, "plans.start");
    await page.getByRole("button", { name: /^Make a plan/ }).click();
    await page.evaluate(() => { location.hash = "#/terminals"; });
    await page.getByRole("heading", { name: "Terminals" }).waitFor();
    await release(page);
    await page.locator("[data-toast]").getByText("Your request is being put together.").waitFor();
    await page.waitForTimeout(250);
  } },
  { name: "planthere", scenario: "files", sizes: ["desktop", "phone"], async act(page) {
    await hold(page, "plans.start");
    await page.getByRole("button", { name: /^Make a plan/ }).click();
    await page.evaluate(() => { location.hash = "#/jobs"; });
    await page.getByRole("heading", { name: "Jobs" }).waitFor();
    // Back there, one cannot begin it a second time.
    await page.evaluate(() => { location.hash = "#/session/s1/files"; });
    const make = page.getByRole("button", { name: /^Make a plan/ });
    await make.waitFor();
    if (!(await make.isDisabled())) throw new Error("a plan under way can be begun again");
    await page.evaluate(() => { location.hash = "#/jobs"; });
    await page.getByRole("heading", { name: "Jobs" }).waitFor();
    await release(page);
    await page.getByRole("button", { name: "Go there" }).click();
    await page.getByRole("button", { name: /^Send/ }).waitFor();
    if (!/\/approve\/j1$/.test(await at(page))) throw new Error(`the way leads to ${await at(page)}`);
    if ((await seen(page, "plans.start")).length !== 1) throw new Error("it was begun twice");
    await page.waitForTimeout(250);
  } },
  // Under a sheet that was opened meanwhile nothing changes: the key that stores there does not become the one that sends.
  { name: "plansheet", scenario: "files", sizes: ["desktop", "phone"], async act(page) {
    await hold(page, "plans.start");
    await page.getByRole("button", { name: /^Make a plan/ }).click();
    await page.getByRole("button", { name: "Ask the web" }).click();
    await page.getByLabel("Questions, one on each line").waitFor();
    await release(page);
    await page.getByText("A request waits for your approval.").first().waitFor();
    if (!/\/files$/.test(await at(page))) throw new Error(`the answer led to ${await at(page)} under a sheet`);
    await page.keyboard.type("Is a POST safe?");
    if ((await page.getByLabel("Questions, one on each line").inputValue()) !== "Is a POST safe?") throw new Error("the sheet has lost the focus");
    await page.waitForTimeout(250);
  } },
  // Closed and opened while the first press is under way, the sheet asks nothing a second time.
  { name: "researchtwice", scenario: "files", async act(page, size) {
    const questions = page.getByLabel("Questions, one on each line");
    const open = page.getByRole("button", { name: "Ask the web" });
    await hold(page, "research.start");
    await open.click();
    await questions.fill("Is a POST safe to repeat?");
    await page.keyboard.press("Control+Enter");
    await page.keyboard.press("Escape");
    await page.getByRole("dialog").waitFor({ state: "detached" });
    await open.click();
    const again = page.getByRole("dialog").getByRole("button", { name: "Ask", exact: true });
    await again.waitFor();
    if (!(await again.isDisabled())) throw new Error("it can be asked again");
    await questions.focus();
    await page.keyboard.press("Control+Enter");
    await questions.fill("Is a POST safe to repeat?\nWhat is jitter for?");
    await release(page);
    await page.getByText("A request waits for your approval.").first().waitFor();
    if ((await seen(page, "research.start")).length !== 1) throw new Error("it was asked twice");
    if ((await questions.inputValue()) !== "What is jitter for?") throw new Error(`what is left: ${await questions.inputValue()}`);
    if (!/\/files$/.test(await at(page))) throw new Error("who writes on was led away");
    if (size === "tablet") {
      await page.getByRole("button", { name: "Go there" }).click();
      await page.getByRole("dialog", { name: "Ask the web" }).waitFor({ state: "detached" });
      if (!/\/approve\/r/.test(await at(page))) throw new Error(`the way leads to ${await at(page)}`);
    }
    await page.waitForTimeout(250);
  } },
  // More is typed while a new step is stored: the form is that of the step by then, and storing it again adds no second one.
  { name: "addedmore", scenario: "reviewed", async act(page) {
    await page.getByRole("button", { name: "Add a step" }).click();
    const title = page.getByLabel("Title");
    await title.fill("Log each attempt");
    await page.getByLabel("File", { exact: true }).fill("src/main.rs");
    await hold(page, "plans.edit_step");
    await title.focus();
    await page.keyboard.press("Control+Enter");
    await page.keyboard.press("End");
    await page.keyboard.type(", on");
    await release(page);
    await page.getByRole("heading", { name: "Edit step 7" }).waitFor();
    await page.keyboard.type("ce");
    if ((await title.inputValue()) !== "Log each attempt, once") throw new Error(`what was typed: ${await title.inputValue()}`);
    await page.getByText("What you typed since is not stored yet.").waitFor();
    await page.waitForTimeout(250);
  } },
  { name: "addedonce", scenario: "reviewed", sizes: ["desktop", "phone"], async act(page) {
    await page.getByRole("button", { name: "Add a step" }).click();
    const title = page.getByLabel("Title");
    await title.fill("Log each attempt");
    await page.getByLabel("File", { exact: true }).fill("src/main.rs");
    await hold(page, "plans.edit_step");
    await page.keyboard.press("Control+Enter");
    await title.fill("Log each attempt, once");
    await release(page);
    await page.getByRole("heading", { name: "Edit step 7" }).waitFor();
    await page.keyboard.press("Control+Enter");
    await title.waitFor({ state: "detached" });
    await page.locator("[data-step]").filter({ hasText: "Log each attempt, once" }).waitFor();
    if ((await page.locator("[data-step]").count()) !== 7) throw new Error("the step was added twice");
    await page.waitForTimeout(250);
  } },
  // Somebody else adds and removes steps: what was typed means the same steps, and one that is gone is told.
  { name: "editfollows", scenario: "reviewed", async act(page) {
    await page.locator("[data-step]").nth(5).focus();
    await page.keyboard.press("e");
    await page.getByLabel("After steps").fill("2, 4");
    await page.getByLabel("Place in the plan").fill("5");
    await page.evaluate(() => {
      window.engine.world.plans = window.engine.world.plans.map((p) => {
        if (p.id !== "plan1") return p;
        const [one, two, three, , five, six] = p.steps;
        return { ...p, version: 5, steps: [{ ...one, id: "x1", title: "Ask Grace", depends: [] }, one, two, three, five, six].map((s, i) => ({ ...s, number: i + 1, depends: [] })) };
      });
      window.engine.tell({ topic: "plan", id: "plan1", session: "s1" });
    });
    await page.getByText("4 (gone): this step is not in the plan any more.", { exact: false }).waitFor();
    if ((await page.getByLabel("After steps").inputValue()) !== "3, 4 (gone)") throw new Error(`after ${await page.getByLabel("After steps").inputValue()}`);
    await page.getByLabel("After steps").evaluate((field) => field.scrollIntoView({ block: "center" }));
    await page.waitForTimeout(250);
  } },
  { name: "handfollows", scenario: "running", sizes: ["desktop", "phone"], async act(page) {
    await page.evaluate(() => { location.hash = "#/session/s1/plan"; });
    await page.locator("[data-step]").nth(3).click();
    await page.getByRole("button", { name: "Hand over step 4" }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Hand over", exact: true }).waitFor();
    const change = (keep) => page.evaluate((kept) => {
      window.engine.world.plans = window.engine.world.plans.map((p) => (p.id !== "plan1" ? p : { ...p, version: p.version + 1, steps: p.steps.filter((s) => kept.includes(s.id)).map((s, i) => ({ ...s, number: i + 1, depends: [] })) }));
      window.engine.tell({ topic: "plan", id: "plan1", session: "s1" });
    }, keep);
    await change(["s1", "s4", "s5"]);
    await page.getByRole("dialog", { name: "Hand over step 2" }).waitFor();
    await page.getByRole("dialog").getByRole("button", { name: "Hand over", exact: true }).click();
    await page.getByText("Nothing was submitted", { exact: false }).first().waitFor();
    const [{ step }] = await seen(page, "terminals.hand_over");
    if (step !== 2) throw new Error(`step ${step} was handed over`);
    await page.keyboard.press("Escape");
    await page.getByRole("button", { name: "Hand over step 2" }).click();
    await change(["s1", "s5"]);
    await page.getByText("This step is not in the plan any more.").waitFor();
    await page.waitForTimeout(250);
  } },
  // Of a plan that was changed and nobody has told, nothing is handed over but what was seen.
  { name: "handlate", scenario: "running", sizes: ["desktop", "phone"], async act(page) {
    await page.evaluate(() => { location.hash = "#/session/s1/plan"; });
    await page.locator("[data-step]").nth(3).click();
    await page.getByRole("button", { name: "Hand over step 4" }).click();
    const press = page.getByRole("dialog").getByRole("button", { name: "Hand over", exact: true });
    await press.waitFor();
    await page.evaluate(() => {
      window.engine.world.plans = window.engine.world.plans.map((p) => (p.id !== "plan1" ? p : { ...p, version: p.version + 1, steps: p.steps.slice(1).map((s, i) => ({ ...s, number: i + 1, depends: [] })) }));
    });
    await press.click();
    await page.getByText("The plan was changed meanwhile").first().waitFor();
    await page.getByRole("dialog", { name: "Hand over step 3" }).waitFor();
    await page.waitForTimeout(250);
  } },
  // Closed and opened while a terminal is started: one terminal, and what is written anew stays.
  { name: "starttwice", scenario: "terminals", sizes: ["desktop", "phone"], async act(page) {
    const open = () => page.getByRole("button", { name: /^Start a (terminal|command)$/ }).first().click();
    const sheet = page.getByRole("dialog", { name: "Start a terminal" });
    const command = sheet.getByLabel("Command");
    await open();
    await command.fill("make watch");
    await page.keyboard.press("Escape");
    await sheet.waitFor({ state: "detached" });
    await open();
    if ((await command.inputValue()) !== "make watch") throw new Error("Escape has lost the words");
    await hold(page, "terminals.start");
    await sheet.getByRole("button", { name: "Start", exact: true }).click();
    await page.keyboard.press("Escape");
    await sheet.waitFor({ state: "detached" });
    await open();
    const start = sheet.getByRole("button", { name: "Start", exact: true });
    if (!(await start.isDisabled())) throw new Error("it can be started again");
    await command.fill("make test");
    await page.keyboard.press("Enter");
    const from = await at(page);
    await release(page);
    await page.locator("[data-toast]").getByText("make was started.").waitFor();
    if ((await command.inputValue()) !== "make test") throw new Error("what is written anew is lost");
    if ((await seen(page, "terminals.start")).length !== 1) throw new Error("it was started twice");
    if ((await at(page)) !== from) throw new Error(`it led to ${await at(page)} under an open sheet`);
    await page.waitForTimeout(250);
  } },
  { name: "handtwice", scenario: "pane", sizes: ["desktop", "phone"], async act(page) {
    const open = () => page.getByRole("button", { name: "Hand over to a terminal" }).click();
    const press = page.getByRole("dialog").getByRole("button", { name: "Hand over", exact: true });
    await open();
    await hold(page, "terminals.hand_over");
    await press.click();
    await page.keyboard.press("Escape");
    await page.getByRole("dialog").waitFor({ state: "detached" });
    await open();
    await press.waitFor();
    if (!(await press.isDisabled())) throw new Error("it can be handed over again");
    await release(page);
    await page.getByRole("dialog").getByText(/Nothing was submitted/).waitFor();
    if ((await seen(page, "terminals.hand_over")).length !== 1) throw new Error("it was handed over twice");
    await page.waitForTimeout(250);
  } },
  // A list of models that was opened once and closed takes no keys any more.
  { name: "keyspicker", scenario: "files", sizes: ["desktop"], async act(page) {
    await page.getByRole("combobox", { name: /Model/ }).click();
    await page.getByRole("option").first().waitFor();
    await page.keyboard.press("Escape");
    await page.getByRole("option").first().waitFor({ state: "hidden" });
    await page.keyboard.press("?");
    await page.getByRole("dialog", { name: "Keys that work here" }).waitFor();
  } },
  // A key whose action is not possible says why, once.
  { name: "keywhy", scenario: "task", sizes: ["desktop", "phone"], async act(page) {
    await page.getByLabel("Task in your words").focus();
    await page.keyboard.press("Control+Enter");
    await page.getByText("Write the task first.").first().waitFor();
    const first = await page.locator("[data-toast]").first().elementHandle();
    await page.keyboard.press("Control+Enter");
    // The second note takes the place of the first, which goes.
    await page.waitForFunction((note) => !note.isConnected || note.hasAttribute("data-ending-style"), first);
    const notes = await page.locator("[data-toast]:not([data-ending-style])").count();
    if (notes !== 1) throw new Error(`${notes} notes say it`);
    if ((await seen(page, "discovery.find")).length) throw new Error("it was done all the same");
  } },
  // What fails while one is elsewhere is told there.
  { name: "planfails", scenario: "files", sizes: ["desktop", "phone"], async act(page) {
    await hold(page, "plans.start");
    await page.getByRole("button", { name: /^Make a plan/ }).click();
    await page.evaluate(() => { location.hash = "#/jobs"; });
    await page.getByRole("heading", { name: "Jobs" }).waitFor();
    await page.evaluate(() => { window.engine.world.plans = []; window.engine.world.fail = { "plans.start": Object.assign(new Error("The model was taken away. Nothing was sent."), { code: "conflict", reason: "no_model", params: {} }) }; });
    await release(page);
    await page.getByText("The model was taken away. Nothing was sent.").first().waitFor();
    await page.evaluate(() => { location.hash = "#/session/s1/files"; });
    await page.getByRole("button", { name: /^Make a plan/ }).waitFor();
    await page.getByRole("alert").getByText("The model was taken away.").first().waitFor();
    await page.waitForTimeout(250);
  } },
];
