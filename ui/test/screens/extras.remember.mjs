/** A permission for more, given with an approval. */
const seen = (page, method) => page.evaluate((m) => window.engine.seen.filter((s) => s.method === m).map((s) => s.params), method);
const open = async (page) => {
  await page.getByRole("button", { name: "Allow more" }).click();
  await page.getByRole("dialog", { name: "Send, and allow more" }).waitFor();
  await page.waitForTimeout(250);
};

export const remember = [
  { name: "remember", scenario: "approve", async act(page) {
    await open(page);
    if (!(await page.evaluate(() => document.activeElement?.getAttribute("inputmode") === "decimal"))) throw new Error("the amount has not the focus");
    await page.getByText("goes to claude-sonnet-4-5 at anthropic, then at bedrock, through", { exact: false }).waitFor();
  } },
  { name: "rememberwrong", scenario: "approve", async act(page) {
    await open(page);
    await page.getByLabel("Up to").fill("nan");
    await page.keyboard.press("Control+Enter");
    await page.getByText("Write dollars, such as 1 or 0.50.").waitFor();
    if ((await seen(page, "approvals.approve")).length) throw new Error("something was approved");
  } },
  { name: "rememberrefused", scenario: "approve", async act(page) {
    await open(page);
    await page.getByLabel("Up to").fill("0.50");
    await page.getByLabel("Only files in").fill("docs");
    await page.keyboard.press("Control+Enter");
    await page.getByText("Not every file of this request lies in docs.", { exact: false }).first().waitFor();
    if ((await page.getByLabel("Up to").inputValue()) !== "0.50") throw new Error("what was typed is lost");
    await page.waitForTimeout(200);
  } },
  { name: "remembergiven", scenario: "approve", async act(page) {
    await open(page);
    await page.getByLabel("Up to").fill("0.50");
    await page.getByText("4 hours").click();
    await page.getByRole("button", { name: "Send and allow more" }).click();
    await page.getByRole("dialog").waitFor({ state: "detached" });
    const [asked, ...others] = await seen(page, "approvals.approve");
    if (others.length || JSON.stringify(asked?.remember) !== JSON.stringify({ cap: 500_000, minutes: 240 })) throw new Error(`approved ${JSON.stringify([asked, ...others])}`);
    await page.evaluate(() => { location.hash = "#/settings"; });
    await page.getByRole("list", { name: "In force" }).getByText("the whole project", { exact: false }).first().waitFor();
  } },
];
