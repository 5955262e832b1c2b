// Two people's worth of hands: one at the desktop's page, one at the phone's, both with a browser.
import { watch } from "./browser.mjs";

const SIZE = { width: 390, height: 844 };

/** A phone's browser at the server's page for phones. */
export async function phoneAt(chromium, server, options = {}) {
  const context = await chromium.newContext({ viewport: SIZE, isMobile: true, hasTouch: true, deviceScaleFactor: 2, ...options });
  const page = await context.newPage();
  const troubles = watch(page);
  await page.goto(`${server}/phone`);
  return { page, context, troubles };
}

/** Opens the offer at the desktop, takes its words, and types them on the phone, until the phone shows its digits. */
export async function meet(desktop, phone, name, offered = async () => {}) {
  await desktop.getByRole("button", { name: "Pair a device" }).first().click();
  await desktop.getByText("Type words instead").click();
  await offered();
  const words = await desktop.getByRole("dialog").getByRole("listitem").allInnerTexts();
  await phone.getByRole("textbox", { name: /Twelve words/ }).fill(words.map((word) => word.trim()).join(" "));
  await phone.getByRole("textbox", { name: /Name of this phone/ }).fill(name);
  await phone.getByRole("button", { name: "Pair", exact: true }).click();
  const shown = phone.getByRole("status", { name: /Digits to type/ });
  await shown.waitFor();
  return { words, digits: (await shown.getAttribute("aria-label")).replace(/\D/g, "") };
}

/** Types the digits at the desktop and lets the phone do what `rights` name. */
export async function accept(desktop, digits, rights) {
  await desktop.getByLabel("Six digits").fill(digits);
  for (const right of rights) await desktop.getByRole("checkbox", { name: right, exact: true }).check();
  await desktop.getByRole("button", { name: "Pair", exact: true }).click();
}

/** What the terminal on this page shows, line by line, without the empty ones. */
export async function lines(page, title = "shell") {
  const rows = page.getByRole("group", { name: `Output of ${title}` }).locator(".xterm-rows > div");
  return (await rows.allInnerTexts()).map((row) => row.replaceAll("\u00a0", " ").trimEnd()).filter(Boolean);
}
