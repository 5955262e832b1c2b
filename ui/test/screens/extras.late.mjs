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
];
