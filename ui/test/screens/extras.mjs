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
    await page.locator("[data-step]").nth(1).click();
    await page.getByRole("button", { name: "Hand over step 2" }).click();
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
