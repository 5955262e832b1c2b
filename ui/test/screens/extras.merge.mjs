/** Screens of a merge that a model is asked for. */
const params = (page) => page.evaluate(() => window.engine.seen.filter((s) => s.method === "plans.merge_by_model").map((s) => s.params));
const sheet = (page) => page.getByRole("dialog", { name: "Compare plans" });
const wish = (page) => page.getByLabel("What you want of the merge, if anything");

async function open(page) {
  await page.getByRole("button", { name: "Plans of this session" }).click();
  await page.getByRole("menuitem", { name: "Compare plans" }).click();
  await page.getByRole("button", { name: "Merge with a model" }).click();
  await wish(page).waitFor();
}

export const merge = [
  // What is written is kept, and Escape goes one level out.
  { name: "mergeask", scenario: "twoplans", async act(page) {
    await open(page);
    if (!(await wish(page).evaluate((e) => e === document.activeElement))) throw new Error("one cannot type at once");
    await wish(page).fill("Keep the tests of the second.");
    await page.keyboard.press("Escape");
    await wish(page).waitFor({ state: "detached" });
    await page.getByRole("button", { name: "Merge with a model" }).click();
    if ((await wish(page).inputValue()) !== "Keep the tests of the second.") throw new Error("Escape has lost the words");
    await page.waitForTimeout(250);
  } },
  // Escape goes one level out from every place of the form, and from the list of models to the form.
  { name: "mergeescape", scenario: "twoplans", sizes: ["desktop", "phone"], async act(page) {
    await open(page);
    for (const of of [page.getByRole("button", { name: /^Ask/ }).last(), sheet(page).getByRole("combobox", { name: /^Model/ }), sheet(page).getByRole("button", { name: "Close", exact: true }).last()]) {
      await of.focus();
      await page.keyboard.press("Escape");
      await wish(page).waitFor({ state: "detached" });
      await sheet(page).waitFor();
      await page.getByRole("button", { name: "Merge with a model" }).click();
      await wish(page).waitFor();
    }
    await sheet(page).getByRole("combobox", { name: /^Model/ }).click();
    await page.locator("[role=option]").first().waitFor();
    await page.keyboard.press("Escape");
    await page.locator("[role=option]").first().waitFor({ state: "hidden" });
    await wish(page).waitFor();
    await page.waitForTimeout(250);
  } },
  { name: "mergebusy", scenario: "twoplans", sizes: ["desktop", "phone"], async act(page) {
    await open(page);
    await page.evaluate(() => { window.engine.world.hold = ["plans.merge_by_model"]; });
    await page.keyboard.press("Control+Enter");
    await sheet(page).getByText("Putting together what would be sent.").waitFor();
    await page.keyboard.press("Control+Enter");
    await page.waitForTimeout(250);
    // What a second press would have asked is answered by the time that one is led on.
    await page.evaluate(() => window.engine.release());
    await page.getByText("one plan made of several").waitFor();
    if ((await params(page)).length !== 1) throw new Error("it was asked twice");
  } },
  { name: "mergefails", scenario: "twoplans", sizes: ["desktop", "phone"], async act(page) {
    await open(page);
    await wish(page).fill("Keep the tests of the second.");
    await page.evaluate(() => { window.engine.world.plans = window.engine.world.plans.map((p) => (p.id === "plan2" ? { ...p, state: "streaming" } : p)); });
    await page.keyboard.press("Control+Enter");
    await sheet(page).getByText("The plan is still being written.", { exact: false }).first().waitFor();
    if ((await wish(page).inputValue()) !== "Keep the tests of the second.") throw new Error("a failure has lost the words");
    await page.waitForTimeout(250);
  } },
  { name: "mergeasked", scenario: "twoplans", async act(page) {
    await open(page);
    await wish(page).fill("Keep the tests of the second.");
    await page.keyboard.press("Control+Enter");
    await page.getByText("one plan made of several").waitFor();
    await sheet(page).waitFor({ state: "detached" });
    for (const part of ["Plan 1", "Plan 2", "Where the plans differ", "Your wish"]) await page.getByText(part, { exact: true }).waitFor();
    await page.waitForTimeout(400);
    if (!/\/approve\/r/.test(await page.evaluate(() => location.hash))) throw new Error("the focus took the station along");
    const [asked] = await params(page);
    if (JSON.stringify(asked) !== JSON.stringify({ plans: ["plan1", "plan2"], wish: "Keep the tests of the second.", model: "anthropic/claude-sonnet-4-5" })) throw new Error(JSON.stringify(asked));
  } },
  { name: "mergemade", scenario: "twoplans", sizes: ["desktop", "phone"], async act(page) {
    await open(page);
    await page.getByRole("button", { name: "Ask", exact: false }).last().click();
    await page.getByText("one plan made of several").waitFor();
    if ("wish" in (await params(page))[0]) throw new Error("a wish was sent that nobody has");
    await page.getByRole("button", { name: /^Send/ }).click();
    await page.getByRole("heading", { name: "One plan of several" }).waitFor();
    await page.getByText("0 of 7 accepted").waitFor();
    await page.waitForTimeout(250);
  } },
  // Closed and opened while a plan is put together by hand: one plan, and nobody is led away from the sheet.
  { name: "mergetwice", scenario: "twoplans", sizes: ["desktop", "phone"], async act(page) {
    const compare = async () => {
      await page.getByRole("button", { name: "Plans of this session" }).click();
      await page.getByRole("menuitem", { name: "Compare plans" }).click();
      await page.getByRole("button", { name: /^Make a plan of/ }).waitFor();
    };
    await compare();
    await page.evaluate(() => { window.engine.world.hold = ["plans.merge"]; });
    await page.getByRole("button", { name: /^Make a plan of/ }).click();
    await page.keyboard.press("Escape");
    await sheet(page).waitFor({ state: "detached" });
    await compare();
    await page.locator("button[aria-busy=true]", { hasText: "Make a plan of" }).click();
    const from = await page.evaluate(() => location.hash);
    await page.evaluate(() => window.engine.release());
    await page.getByText(/^Made a plan of \d steps from 2 plans/).first().waitFor();
    const n = await page.evaluate(() => window.engine.seen.filter((s) => s.method === "plans.merge").length);
    if (n !== 1) throw new Error(`${n} plans were made`);
    if ((await page.evaluate(() => location.hash)) !== from) throw new Error("it led away under an open sheet");
    await sheet(page).waitFor();
    await page.getByRole("button", { name: "Go there" }).click();
    await sheet(page).waitFor({ state: "detached" });
    await page.getByText(/^0 of \d accepted/).waitFor();
    await page.waitForTimeout(250);
  } },
  // Somebody else adds a step before all of a plan that is compared: what is ticked stays ticked.
  { name: "mergefollows", scenario: "twoplans", sizes: ["desktop", "phone"], async act(page) {
    await page.getByRole("button", { name: "Plans of this session" }).click();
    await page.getByRole("menuitem", { name: "Compare plans" }).click();
    await page.getByRole("checkbox", { name: /Remove the old single-attempt wrapper/ }).click();
    const ticked = () => sheet(page).getByRole("list", { name: "Steps side by side" }).locator("label", { has: page.locator("input:checked") }).locator("[class*=sourceTitle]").allInnerTexts();
    const before = (await ticked()).sort().join();
    if (!before.includes("Retry in Client::send")) throw new Error(`ticked: ${before}`);
    await page.evaluate(() => {
      const { engine } = window;
      engine.world.plans = engine.world.plans.map((p) => (p.id !== "plan1" ? p : { ...p, version: 2, steps: [{ ...p.steps[3], id: "x1", title: "Ask Grace" }, ...p.steps].map((s, i) => ({ ...s, number: i + 1, depends: [] })) }));
      engine.tell({ topic: "plan", id: "plan1", session: "s1" });
    });
    await sheet(page).getByText("Ask Grace").waitFor();
    if ((await ticked()).sort().join() !== before) throw new Error(`ticked: ${await ticked()}`);
    await page.getByRole("button", { name: /^Make a plan of/ }).click();
    await page.getByText(/^Made a plan of/).first().waitFor();
    const { params: asked } = await page.evaluate(() => window.engine.seen.find((s) => s.method === "plans.merge"));
    if (asked.steps.some((s) => s.plan === "plan1" && [1, 6].includes(s.step))) throw new Error(JSON.stringify(asked));
  } },
  // The form of the request is closed while it is under way: that it failed is told all the same.
  { name: "mergeunseen", scenario: "twoplans", sizes: ["desktop", "phone"], async act(page) {
    await open(page);
    await page.evaluate(() => { window.engine.world.hold = ["plans.merge_by_model"]; });
    await page.keyboard.press("Control+Enter");
    await sheet(page).getByText("Putting together what would be sent.").waitFor();
    await page.keyboard.press("Escape");
    await wish(page).waitFor({ state: "detached" });
    await page.evaluate(() => {
      window.engine.world.plans = window.engine.world.plans.map((p) => (p.id === "plan2" ? { ...p, state: "streaming" } : p));
      window.engine.release();
    });
    await page.locator("[data-toast]").getByText("The plan is still being written.", { exact: false }).waitFor();
    await page.waitForTimeout(250);
  } },
  // At each of the plans that are merged it is told how far that is.
  { name: "mergetold", scenario: "twoplans", sizes: ["desktop", "phone"], async act(page) {
    await open(page);
    await page.keyboard.press("Control+Enter");
    await page.getByText("one plan made of several").waitFor();
    const strip = page.getByRole("group", { name: "Plans that build on this one" });
    for (const plan of ["plan2", "plan1"]) {
      await page.evaluate((id) => { location.hash = `#/session/s1/plan/${id}`; }, plan);
      await strip.getByText("waits for your approval", { exact: false }).waitFor();
    }
    await strip.getByRole("link", { name: "Look at it" }).click();
    await page.evaluate(() => { window.engine.world.helpStops = true; });
    await page.getByRole("button", { name: /^Send/ }).click();
    await page.evaluate(() => { location.hash = "#/session/s1/plan/plan2"; });
    await strip.getByText(/^claude-sonnet-4-5 at anthropic is writing a plan/i).waitFor();
    await page.waitForTimeout(250);
  } },
  // Who may not run anything is not offered it.
  { name: "mergenone", scenario: "twoplans", sizes: ["desktop"], async act(page) {
    await page.evaluate(() => { window.engine.world.scopes = ["none", "view", "edit"]; window.cut(); });
    // Dialed anew, it is known what this device may do: the plan can be edited still, and no model asked.
    await page.locator("[data-step]").first().click();
    await page.getByRole("button", { name: "Ask for changes" }).waitFor({ state: "detached" });
    await page.getByRole("button", { name: "Plans of this session" }).click();
    await page.getByRole("menuitem", { name: "Compare plans" }).click();
    await page.getByRole("button", { name: /^Make a plan of/ }).waitFor();
    if (await page.getByRole("button", { name: "Merge with a model" }).count()) throw new Error("it is offered all the same");
  } },
];
