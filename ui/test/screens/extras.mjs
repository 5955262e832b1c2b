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
    await page.getByRole("button", { name: "Sign in" }).click();
    await page.waitForTimeout(250);
  } },
  { name: "steps", scenario: "plan", async act(page) {
    await page.locator("[data-step]").nth(1).click();
    await page.locator("[data-step]").nth(2).click();
    await page.waitForTimeout(200);
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
  { name: "undo", scenario: "sessions", async act(page) {
    await page.getByRole("button", { name: /Delete session/ }).nth(1).click();
    await page.waitForTimeout(300);
  } },
];
