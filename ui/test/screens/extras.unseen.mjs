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
const marks = async (page, where, least) => {
  const n = await page.getByTitle("U+202E").count();
  if (n < least) throw new Error(`${where}: ${n} marks, not ${least}`);
  await hidden(page, where);
};

export const unseen = [
  { name: "unseenpages", scenario: "unseen", sizes: ["desktop", "phone"], async act(page, size) {
    await page.getByTitle("U+202E").first().waitFor();
    await marks(page, "plan", size === "phone" ? 2 : 5);
    if (!(await page.title()).includes("[U+202E]")) throw new Error(`the window is called ${await page.title()}`);
    for (const [hash, least] of [["#/", 3], ["#/project/p1", 4], ["#/jobs", 3], ["#/approvals", 0], ["#/terminals", 2], ["#/terminals/t9", 1], ["#/session/s1/run", 2], ["#/settings", 2], ["#/settings/prompts", 0]]) {
      await page.evaluate((to) => { location.hash = to; }, hash);
      await page.waitForTimeout(500);
      await marks(page, hash, least);
    }
    await page.evaluate(() => { location.hash = "#/project/p1"; });
    await page.getByRole("button", { name: /^Delete session: Show / }).click();
    await page.getByText("Deleted", { exact: false }).first().waitFor();
    await marks(page, "told", 4);
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
