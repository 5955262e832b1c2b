/** What the engine keeps to: permissions, budgets, cost, and a project's own texts. */
const seen = (page, method) => page.evaluate((m) => window.engine.seen.filter((s) => s.method === m).map((s) => s.params), method);
const kept = (page) => page.evaluate(() => window.engine.world.kept);

export const settings = [
  { name: "settingsend", scenario: "settings", async act(page) {
    await page.getByRole("button", { name: /^End the permission of Retry/ }).click();
    await page.getByText("Ended. The next request of that session asks again").waitFor();
    await page.getByText("3 permissions ended").click();
    await page.getByText("Withdrawn.").waitFor();
    if ((await kept(page)).permissions.filter((p) => p.holds).length !== 1) throw new Error("another one was ended");
  } },
  { name: "settingsmaynot", scenario: "settingsview", async act(page) {
    await page.getByRole("button", { name: /^End the permission of Retry/ }).click({ force: true });
    if ((await seen(page, "approvals.end_permission")).length) throw new Error("a device that may not approve ended one");
    await page.mouse.move(0, 0);
    await page.waitForTimeout(200);
  } },
  { name: "settingspalette", scenario: "plan", async act(page, size) {
    await page.keyboard.press("Control+k");
    await page.getByRole("combobox").fill("standing");
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { name: "Standing permissions" }).waitFor();
    await page.waitForTimeout(200);
    if (!(await page.evaluate(() => document.activeElement?.id === "settings-permissions"))) throw new Error(`the focus is elsewhere (${size})`);
  } },
  { name: "settingsfrom", scenario: "approvalspermitted", async act(page) {
    await page.getByRole("link", { name: "2 standing permissions" }).click();
    await page.getByRole("list", { name: "In force" }).waitFor();
    await page.waitForTimeout(200);
  } },
  { name: "settingsbudget", scenario: "settingsempty", async act(page) {
    const day = page.getByLabel("In any 24 hours");
    await day.fill("2,50");
    await page.getByText("Write dollars, such as 5 or 0.50").first().waitFor();
    await page.keyboard.press("Control+Enter");
    if ((await seen(page, "settings.set")).length) throw new Error("something that is no amount was stored");
    await day.fill("$2.50");
    // Escape goes one level out and loses nothing, and neither does going away.
    await page.keyboard.press("Escape");
    await page.evaluate(() => { location.hash = "#/jobs"; });
    await page.getByRole("heading", { name: "Jobs" }).waitFor();
    await page.goBack();
    if ((await day.inputValue()) !== "$2.50") throw new Error("what was typed is lost");
    await page.getByRole("button", { name: "Save budgets" }).click();
    await page.getByText("Stored. The budgets hold").waitFor();
    await page.getByText("left", { exact: false }).first().waitFor();
    if (JSON.stringify((await kept(page)).settings) !== JSON.stringify({ keep_requests_days: 30, day_budget: 2_500_000 })) throw new Error(`stored ${JSON.stringify((await kept(page)).settings)}`);
    if ((await day.inputValue()) !== "2.50") throw new Error("the field shows something else than what is stored");
  } },
  { name: "settingsunset", scenario: "settings", async act(page) {
    await page.getByLabel("In one session").fill("");
    await page.getByLabel("In one session").press("Control+Enter");
    await page.getByText("Stored. The budgets hold").waitFor();
    const { settings } = await kept(page);
    if ("session_budget" in settings || settings.day_budget !== 5_000_000) throw new Error(`stored ${JSON.stringify(settings)}`);
    await page.getByText("No limit is set.").waitFor();
  } },
  // Whoever changed the other budget meanwhile has not written in vain.
  { name: "settingstwo", scenario: "settings", sizes: ["desktop"], async act(page) {
    await page.getByLabel("In one session").fill("7");
    await page.evaluate(() => { window.engine.world.kept.settings = { day_budget: 9_000_000, session_budget: 2_000_000 }; });
    await page.getByRole("button", { name: "Save budgets" }).click();
    await page.getByText("Stored. The budgets hold").waitFor();
    const { settings } = await kept(page);
    if (settings.day_budget !== 9_000_000 || settings.session_budget !== 7_000_000) throw new Error(`stored ${JSON.stringify(settings)}`);
  } },
  { name: "settingscost", scenario: "settings", async act(page) {
    await page.getByRole("radio", { name: "Session" }).check({ force: true });
    await page.getByRole("link", { name: "Replace the hand-written date parser" }).last().waitFor();
    await page.getByText("a session that was deleted").waitFor();
    await page.getByRole("radio", { name: "All" }).check({ force: true });
    await page.getByRole("table").scrollIntoViewIfNeeded();
    await page.waitForTimeout(300);
    const asked = await seen(page, "usage.by");
    if (!asked.some((p) => p.group === "session" && p.since === 0)) throw new Error("the range was not asked for");
  } },
];
