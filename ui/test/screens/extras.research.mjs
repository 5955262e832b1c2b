/** What is looked up on the web: asked, approved, read, attached. */
const list = (page) => page.getByRole("list", { name: "Web findings" });
const seen = (page, method) => page.evaluate((m) => window.engine.seen.filter((s) => s.method === m).map((s) => s.params), method);

export const research = [
  { name: "researchread", scenario: "research", async act(page) {
    await page.getByRole("button", { name: /^Which HTTP/ }).click();
    const sheet = page.getByRole("dialog", { name: "Web finding" });
    await sheet.getByRole("link", { name: /RFC 9110/ }).waitFor();
    if ((await sheet.getByRole("link").count()) !== 2) throw new Error("an address without a sealed connection is a link");
    if ((await sheet.getByRole("link", { name: /RFC 9110/ }).getAttribute("rel")) !== "noopener noreferrer") throw new Error("the other page learns where it was opened");
    await page.waitForTimeout(250);
  } },
  { name: "researchdoubtful", scenario: "research", async act(page) {
    await page.getByRole("button", { name: /^How much jitter/ }).click();
    const sheet = page.getByRole("dialog", { name: "Web finding" });
    await sheet.getByText("No source was given").waitFor();
    // Words of strangers: neither markup nor characters that nobody sees.
    await sheet.getByText("<b>This</b> is not markup").waitFor();
    await sheet.getByTitle("U+202E").waitFor();
    if (await sheet.getByRole("link").count()) throw new Error("a link was made of words");
    await sheet.getByRole("checkbox", { name: "Attach to the next plan" }).check();
    await page.waitForTimeout(250);
    if (!(await page.evaluate(() => window.engine.world.findings[1].attached))) throw new Error("it is not attached");
  } },
  { name: "researchtick", scenario: "research", async act(page) {
    await page.getByText("2 of 4 attached").waitFor();
    await page.getByRole("checkbox", { name: /^Attach to the next plan: Which HTTP/ }).click();
    await page.getByText("1 of 4 attached").waitFor();
    if (!(await page.getByRole("checkbox", { name: /Does hyper retry/ }).isDisabled())) throw new Error("a question without an answer can be attached");
  } },
  { name: "researchask", scenario: "files", async act(page, size) {
    if (size === "phone") await page.getByRole("button", { name: "Ask the web" }).click();
    else await page.keyboard.press("w");
    await page.waitForTimeout(300);
    if (!(await page.evaluate(() => document.activeElement instanceof HTMLTextAreaElement))) throw new Error("one cannot type at once");
    await page.getByLabel("Questions, one on each line").fill("Is a POST safe to repeat?\nWhat is jitter for?");
    await page.getByLabel("Only these hosts").fill("docs.rs");
    // Escape goes one level out and loses nothing.
    await page.keyboard.press("Escape");
    await page.getByRole("dialog").waitFor({ state: "detached" });
    await page.getByRole("button", { name: "Ask the web" }).click();
    await page.getByText("2 of 12 questions").waitFor();
    if ((await page.getByLabel("Only these hosts").inputValue()) !== "docs.rs") throw new Error("the hosts are lost");
    await page.waitForTimeout(250);
  } },
  { name: "researchsent", scenario: "files", async act(page) {
    await page.getByRole("button", { name: "Ask the web" }).click();
    const questions = page.getByLabel("Questions, one on each line");
    await questions.fill("Is a POST safe to repeat?\n\nWhat is jitter for?\nWhat is jitter for?");
    await page.getByLabel("Searches for each").fill("2");
    await page.getByLabel("Only these hosts").fill("docs.rs, rfc-editor.org");
    await questions.focus();
    await page.keyboard.press("Control+Enter");
    await page.getByText("an answer from the web to one question").waitFor();
    await page.getByText(/search docs.rs, rfc-editor.org up to 2 times/).waitFor();
    const [asked] = await seen(page, "research.start");
    if (JSON.stringify([asked.questions, asked.searches, asked.domains]) !== JSON.stringify([["Is a POST safe to repeat?", "What is jitter for?"], 2, ["docs.rs", "rfc-editor.org"]])) throw new Error(`asked ${JSON.stringify(asked)}`);
    await page.waitForTimeout(400);
    if (!(await page.evaluate(() => location.hash)).includes("/approve/r")) throw new Error("the focus went back to the files and took the station along");
    await page.getByRole("button", { name: /^Send/ }).click();
    await page.getByText("Sent as approved.").waitFor();
    await page.getByRole("link", { name: "1 more waits" }).click();
    await page.getByRole("button", { name: /^Don't send/ }).click();
    await page.getByText("Not sent.").first().waitFor();
    await page.getByRole("link", { name: /^Files/ }).first().click();
    await list(page).getByText("canceled").waitFor();
    await list(page).getByText("3 sources").waitFor();
    await page.getByText("0 of 2 attached").waitFor();
  } },
  { name: "researchpropose", scenario: "files", async act(page) {
    await page.getByRole("button", { name: "Ask the web" }).click();
    await page.getByLabel("Questions, one on each line").fill("Kept for later?");
    await page.getByRole("button", { name: "Let the model propose questions" }).click();
    await page.getByText("questions to look up on the web").waitFor();
    await page.getByRole("link", { name: /^Files/ }).first().click();
    await page.getByText("A request to propose questions waits for your approval.").waitFor();
    await page.getByRole("link", { name: "Look at it" }).click();
    await page.getByRole("button", { name: /^Send/ }).click();
    await page.getByRole("link", { name: "2 more wait" }).waitFor();
    await page.getByRole("link", { name: /^Files/ }).first().click();
    await page.getByRole("link", { name: "2 wait for you" }).waitFor();
    await list(page).getByText("Which errors of the standard library").waitFor();
    await page.getByRole("button", { name: "Ask the web" }).click();
    if ((await page.getByLabel("Questions, one on each line").inputValue()) !== "Kept for later?") throw new Error("what was typed is lost");
  } },
  { name: "researchwrong", scenario: "files", async act(page) {
    await page.getByRole("button", { name: "Ask the web" }).click();
    await page.getByLabel("Questions, one on each line").fill("Is it safe?");
    await page.getByLabel("Only these hosts").fill("https://docs.rs");
    await page.getByText("is not the name of a host").first().waitFor();
    await page.getByRole("dialog").getByRole("button", { name: "Ask", exact: true }).click({ force: true });
    if ((await seen(page, "research.start")).length) throw new Error("it was asked all the same");
    await page.mouse.move(0, 0);
    await page.waitForTimeout(250);
  } },
  { name: "researchagain", scenario: "research", async act(page) {
    await page.getByRole("button", { name: /^Does hyper/ }).click();
    await page.getByText("too many requests").waitFor();
    await page.getByRole("button", { name: "Ask again" }).click();
    await page.getByText("1 of 12 questions").waitFor();
    if ((await page.getByLabel("Questions, one on each line").inputValue()) !== "Does hyper retry by itself?") throw new Error("the question is not there");
  } },
  { name: "researchstop", scenario: "researchasked", async act(page) {
    await page.getByRole("button", { name: /^How do browsers/ }).click();
    await page.getByText("The model is looking for an answer.").waitFor();
    await page.getByRole("button", { name: "Stop" }).click();
    await page.getByRole("button", { name: "Ask again" }).waitFor();
    await page.waitForTimeout(250);
  } },
  { name: "researchnone", scenario: "researchunable", async act(page) {
    await page.getByRole("button", { name: "Ask the web" }).click();
    await page.getByText("None of your models can search the web.").first().waitFor();
    await page.waitForTimeout(250);
  } },
];
