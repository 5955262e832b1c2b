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
];
