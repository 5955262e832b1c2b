import { late } from "./extras.late.mjs";
import { merge } from "./extras.merge.mjs";
import { remember } from "./extras.remember.mjs";
import { research } from "./extras.research.mjs";
import { settings } from "./extras.settings.mjs";
import { review } from "./extras.review.mjs";
import { unseen } from "./extras.unseen.mjs";

/** Screens that need a hand: something opened, typed or pressed. */
const wide = ["desktop", "tablet"];

export const extras = [
  ...late,
  ...merge,
  ...remember,
  ...research,
  ...settings,
  ...unseen,
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
  ...review,
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
