/** Screens of names in which characters hide: they are marked wherever a name is shown, read aloud or told. */

/** What of a page would hide something: texts, what is read aloud, tips, and the name of the window. */
async function hidden(page, where) {
  const found = await page.evaluate(() => {
    const unseen = /[\u200b\u202e\u202c\u2066]/;
    const texts = [];
    const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    while (walk.nextNode()) if (unseen.test(walk.currentNode.data) && !walk.currentNode.parentElement.closest("textarea, script")) texts.push(`text of ${walk.currentNode.parentElement.outerHTML.slice(0, 160)}`);
    for (const node of document.querySelectorAll("[aria-label], [title]")) {
      for (const name of ["aria-label", "title"]) if (unseen.test(node.getAttribute(name) ?? "")) texts.push(`${name} of ${node.outerHTML.slice(0, 160)}`);
    }
    if (unseen.test(document.title)) texts.push("the window's name");
    return texts;
  });
  if (found.length > 0) throw new Error(`${where}: ${found.slice(0, 3).join("; ")}`);
}
const SIGN = "[title='U+202E']";
/** Waits until so many are marked, of which the last may come late. */
const marks = async (page, where, least, within = "body") => {
  const all = page.locator(`${within} ${SIGN}`);
  if (least > 0) {
    await all.nth(least - 1).waitFor({ state: "attached", timeout: 10_000 }).catch(async () => {
      throw new Error(`${where}: ${await all.count()} marks, not ${least}`);
    });
  }
  await hidden(page, where);
};

export const unseen = [
  { name: "unseenpages", scenario: "unseen", sizes: ["desktop", "phone"], async act(page, size) {
    await page.getByTitle("U+202E").first().waitFor();
    await marks(page, "plan", size === "phone" ? 2 : 5);
    if (!(await page.title()).includes("[U+202E]")) throw new Error(`the window is called ${await page.title()}`);
    const heading = (name) => page.getByRole("heading", { name, exact: true });
    const reached = {
      "#/": () => heading("Projects"), "#/project/p1": () => page.getByRole("list", { name: "Sessions" }).getByRole("listitem").first(), "#/jobs": () => heading("Jobs"), "#/approvals": () => page.getByText("Nothing waits for your approval."),
      "#/terminals": () => page.getByText(/builde?.*r/).first(), "#/terminals/t9": () => page.locator("[data-terminal]"), "#/session/s1/run": () => page.locator("[data-terminal]"),
      "#/settings": () => heading("Standing permissions"), "#/settings/prompts": () => page.getByRole("list", { name: "Prompts" }).getByRole("button").first(),
    };
    for (const [hash, least] of [["#/", 3], ["#/project/p1", 4], ["#/jobs", 3], ["#/approvals", 0], ["#/terminals", 2], ["#/terminals/t9", 1], ["#/session/s1/run", 2], ["#/settings", 2], ["#/settings/prompts", 0]]) {
      await page.evaluate((to) => { location.hash = to; }, hash);
      await reached[hash]().waitFor();
      await marks(page, hash, least);
    }
    await page.evaluate(() => { location.hash = "#/project/p1"; });
    await page.getByRole("button", { name: /^Delete session: Show / }).click();
    await page.getByText("Deleted", { exact: false }).first().waitFor();
    await marks(page, "told", 4);
    await page.waitForTimeout(250);
  } },
  // What is approved, and to whom it goes, in the very places where one decides.
  { name: "unseensent", scenario: "unseenasked", sizes: ["desktop", "phone"], async act(page) {
    await page.getByRole("heading", { name: "Destinations, in order" }).waitFor();
    await marks(page, "purpose, model, provider and door", 4, "p");
    await marks(page, "destinations", 2, "ol");
    await marks(page, "picker", 2, "[role=combobox]");
    await page.evaluate(() => { window.engine.unary["approvals.text"] = () => ({ text: "let a = 1; // \u202eno\u200b" }); });
    await page.locator("details summary").nth(1).click();
    await marks(page, "the exact text", 1, "pre");
    await page.getByRole("combobox", { name: /Model/ }).last().click();
    await marks(page, "list of models", 6, "[role=option]");
    await page.waitForTimeout(250);
  } },
  { name: "unseenlisted", scenario: "unseenasked", sizes: ["desktop", "phone"], async act(page, size) {
    await page.evaluate(() => { location.hash = "#/session/s1/files"; });
    await page.getByRole("heading", { name: "Source files" }).waitFor();
    // The tip of the reasons is read too.
    if (!(await page.locator("[title*='[U+202E]']").count())) throw new Error("no tip tells it");
    await marks(page, "reasons of files", 2, "label");
    if (size === "phone") await page.evaluate(() => { location.hash = "#/more"; });
    else await page.getByRole("button", { name: /^Cost today/ }).click();
    await page.getByText("4 requests", { exact: false }).first().waitFor();
    await marks(page, "cost of today", 1, "li > span:has(small)");
    await page.evaluate(() => { location.hash = "#/approvals"; });
    await page.getByRole("link", { name: /tokens/ }).first().waitFor();
    await marks(page, "what waits", 1, "a");
    await page.waitForTimeout(250);
  } },
  { name: "unseenplans", scenario: "unseenplan", sizes: ["desktop", "phone"], async act(page) {
    await page.locator("[data-step]").first().click();
    await page.getByText("confidence", { exact: false }).first().waitFor();
    await marks(page, "confidence", 1, "[data-card]");
    await marks(page, "who wrote it", 3);
    await page.waitForTimeout(250);
  } },
  { name: "unseenpaired", scenario: "unseenpair", sizes: ["desktop", "phone"], async act(page) {
    await page.getByRole("button", { name: "Pair a device" }).click();
    await page.getByLabel("Six digits").waitFor();
    await marks(page, "the device that is to be trusted", 1, "[role=status]");
    await page.waitForTimeout(250);
  } },
  { name: "unseenpalette", scenario: "unseen", sizes: ["desktop", "phone"], async act(page) {
    await page.getByRole("button", { name: "All actions" }).click();
    await page.getByRole("combobox").fill("retry");
    await page.getByRole("option").getByTitle("U+202E").first().waitFor();
    await hidden(page, "palette");
    await page.waitForTimeout(250);
  } },
  { name: "unseenmenu", scenario: "unseen", sizes: ["desktop"], async act(page) {
    await page.getByRole("button", { name: /^Project: / }).click();
    await page.getByRole("menuitem").getByTitle("U+202E").first().waitFor();
    await hidden(page, "menu");
    await page.keyboard.press("Escape");
    await page.getByRole("button", { name: /^Session: / }).click();
    await page.getByRole("menuitem").getByTitle("U+202E").first().waitFor();
    await hidden(page, "menu");
    await page.waitForTimeout(250);
  } },
  { name: "unseenhandover", scenario: "unseen", sizes: ["desktop", "phone"], async act(page) {
    await page.getByRole("button", { name: "Hand over to a terminal" }).click();
    await page.getByRole("dialog").getByTitle("U+202E").first().waitFor();
    await hidden(page, "hand-over");
    await page.waitForTimeout(250);
  } },
];
