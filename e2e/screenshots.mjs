// Takes the pictures of docs/screenshots from the real programs: `npm run screenshots` after `cargo build --workspace`.
import { execFile } from "node:child_process";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { accept, lines, meet, phoneAt } from "./lib/pairing.mjs";
import { run } from "./lib/programs.mjs";
import { TASK } from "./lib/repository.mjs";
import { until } from "./lib/webdriver.mjs";
import { allow, letIn, setUp, world } from "./lib/world.mjs";

const OUT = fileURLToPath(new URL("../docs/screenshots", import.meta.url));

const PLAN = `<plan title="Retry a parcel when the connection is reset">
<step title="Give Policy a rule for what to try again" confidence="high">
<why>Only a reset connection is worth another attempt; other errors must be reported at once.</why>
<operation kind="modify" path="src/policy.rs" symbol="Policy" lines="3-6">
<change>
impl Policy {
    /// Whether attempt number \`attempt\` (from 1) that failed with \`error\` is followed by another.
    pub fn tries_again(&self, attempt: u32, error: &std::io::Error) -> bool {
        attempt < self.limit && error.kind() == std::io::ErrorKind::ConnectionReset
    }
}
</change>
</operation>
<check>The crate builds; nothing calls it yet.</check>
</step>
<step title="Send until the policy gives up" confidence="high" depends="1">
<why>\`send\` gives up at the first reset today.</why>
<operation kind="modify" path="src/send.rs" symbol="send" lines="6-10">
<change>
pub fn send(connection: &mut Connection, parcel: &Parcel, policy: &Policy) -> io::Result<()> {
    for attempt in 1.. {
        match connection.write(&parcel.contents) {
            Ok(_) => return Ok(()),
            Err(e) if policy.tries_again(attempt, &e) => continue,
            Err(e) => return Err(e),
        }
    }
    Ok(())
}
</change>
</operation>
<command>cargo build</command>
</step>
<step title="Describe it where people look first" confidence="medium" depends="2">
<why>The signature of \`send\` changes.</why>
<operation kind="modify" path="docs/README.md"><change>Name the policy and its default of one attempt.</change></operation>
</step>
<step title="Cover it with a test" confidence="high" depends="2">
<why>A reset must be tried again exactly as often as the policy allows.</why>
<operation kind="create" path="tests/retrying.rs">
<change>
#[test]
fn a_reset_is_tried_again_until_the_limit() {
    let policy = Policy { limit: 3 };
    let reset = || std::io::Error::from(std::io::ErrorKind::ConnectionReset);
    assert!(policy.tries_again(2, &reset()) && !policy.tries_again(3, &reset()));
}
</change>
</operation>
<command>cargo test --test retrying</command>
<check>The test fails without step 1.</check>
</step>
</plan>
`;

const w = await world();
try {
  await mkdir(OUT, { recursive: true });
  const person = await setUp(w);
  await w.sim.control({ style: "text", text: PLAN });
  await run("plantocode", ["models", "list"], { env: { PLANTOCODE_HOME: w.home } });
  // A shell that looks the same everywhere.
  for (const name of [".bashrc", ".bash_profile"]) await writeFile(join(w.dir, name), "PS1='\\[\\e[34m\\]courier\\[\\e[0m\\] $ '\n");
  const ui = await w.serve({ HOME: w.dir, SHELL: "/bin/bash" });
  const { page } = await letIn(w.chromium, ui);
  const shots = [];
  const shotOf = async (of, name) => {
    shots.push(`${name}.png`);
    await of.screenshot({ path: join(OUT, `${name}.png`), animations: "disabled" });
  };
  const shot = (name) => shotOf(page, name);

  await page.getByLabel("Folder").fill(w.repo);
  await page.getByRole("button", { name: "Grant folder", exact: true }).click();
  await page.getByRole("button", { name: /^Account/ }).first().click();
  await page.getByLabel("Server").fill(w.proxy.url);
  await page.getByRole("button", { name: "Sign in", exact: true }).first().click();
  const link = page.getByRole("link", { name: /Open the page/ });
  await allow(person, await link.getAttribute("href"));
  await page.getByText("Signed in as", { exact: false }).first().waitFor();
  await page.keyboard.press("Escape");
  await page.getByRole("button", { name: "New session" }).first().click();
  await page.getByLabel("Task in your words").fill(TASK);
  await page.getByRole("button", { name: "Find files", exact: true }).click();
  await page.getByRole("checkbox", { name: "Include src/send.rs" }).first().waitFor();
  await page.getByRole("button", { name: "Make a plan", exact: true }).click();
  await page.getByText("Destinations, in order").waitFor();
  await page.waitForTimeout(400);
  await shot("approve-light");
  await page.getByRole("button", { name: /^Send/ }).first().click();
  await page.getByText("1 wrong", { exact: false }).first().waitFor();
  await page.getByRole("button", { name: /Send until the policy/ }).first().click();
  await page.getByRole("button", { name: /Describe it where/ }).first().click();
  await page.mouse.move(0, 0);
  await page.waitForTimeout(400);
  await shot("plan-light");
  await page.emulateMedia({ colorScheme: "dark" });
  await page.waitForTimeout(400);
  await shot("plan-dark");
  await page.setViewportSize({ width: 390, height: 844 });
  await page.waitForTimeout(600);
  await shot("plan-phone-dark");
  await page.emulateMedia({ colorScheme: "light" });
  await page.waitForTimeout(400);
  await shot("plan-phone-light");

  await page.setViewportSize({ width: 1440, height: 900 });

  const { page: phone } = await phoneAt(w.chromium, w.proxy.url);
  /** The phone in its two sizes, the smaller one in light and the larger in dark. */
  const both = async (name) => {
    for (const [width, height, colorScheme] of [[412, 915, "dark"], [390, 844, "light"]]) {
      await phone.setViewportSize({ width, height });
      await phone.emulateMedia({ colorScheme });
      await phone.waitForTimeout(600);
      await shotOf(phone, `${name}-${width}-${colorScheme}`);
    }
  };
  const inBoth = async (name) => {
    for (const colorScheme of ["dark", "light"]) {
      await page.emulateMedia({ colorScheme });
      await page.waitForTimeout(400);
      await shot(`${name}-${colorScheme}`);
    }
  };
  const place = (name) => phone.getByRole("navigation", { name: "Main" }).getByRole("link", { name: new RegExp(`^${name}`) }).click();
  const station = (of, name) => of.getByRole("navigation", { name: "Stations of this session" }).getByRole("link", { name: new RegExp(`^${name}`) }).click();
  const sees = (of, text) => until(text, async () => (await lines(of)).join("").includes(text));
  const session = page.url();

  await page.getByRole("button", { name: "Account and models", exact: true }).click();
  await page.getByRole("button", { name: "Devices", exact: true }).click();
  const { digits } = await meet(page, phone, "Ada's phone", () => inBoth("pair"));
  await both("phone-pairing");
  await accept(page, digits, ["Files", "Edit", "Run", "Approve", "Full control"]);
  await page.getByRole("button", { name: "Done", exact: true }).click();
  await page.getByRole("button", { name: /^Revoke/ }).waitFor();
  await inBoth("devices");
  await phone.getByRole("link", { name: /courier/ }).click();
  await phone.getByRole("link", { name: /Retry `send`/ }).waitFor();
  await both("phone-sessions");
  await phone.getByRole("link", { name: /Retry `send`/ }).click();
  await station(phone, "Plan");
  await phone.getByRole("button", { name: /Send until the policy/ }).click();
  await both("phone-plan");

  await page.goto(session);
  await station(page, "Plan");
  await page.getByRole("button", { name: "Show or hide terminals" }).first().click();
  await page.getByRole("button", { name: "Start a shell", exact: true }).click();
  await sees(page, "courier $");
  await page.getByRole("group", { name: "Output of shell" }).locator("textarea").focus();
  await page.keyboard.type("git log --stat --no-decorate | cat\n");
  await sees(page, "files changed");
  const opened = page.getByRole("button", { name: "Hand over step 3", exact: true });
  if (!(await opened.isVisible())) await page.getByRole("button", { name: /Describe it where/ }).click();
  await opened.click();
  await page.getByRole("dialog").getByRole("button", { name: "Hand over", exact: true }).click();
  await page.getByText("Nothing was submitted", { exact: false }).waitFor();
  await page.mouse.move(0, 0);
  await inBoth("hand-over");
  await page.getByRole("dialog").getByRole("button", { name: "Close" }).click();
  await page.waitForTimeout(400);
  await inBoth("terminals");

  await place("Terminals");
  await phone.getByRole("link", { name: /shell/ }).click();
  await phone.getByRole("button", { name: "Fit to this screen" }).click();
  await phone.getByRole("button", { name: "Ctrl-C", exact: true }).click();
  for (const text of ["clear", "git log --oneline && git status --short --branch && ls -F --color"]) {
    await phone.getByLabel("Text to send").fill(text);
    await phone.getByRole("button", { name: "Send", exact: true }).click();
    await phone.waitForTimeout(600);
  }
  await phone.getByLabel("Text to send").fill("cargo test --test retrying");
  await both("phone-terminal");

  const server = person.pages()[0];
  await server.setViewportSize({ width: 900, height: 600 });
  await server.goto(w.proxy.url);
  await shotOf(server, "server-light");
  // One byte for each point is enough for an interface.
  for (const name of shots) await promisify(execFile)("convert-im6", [join(OUT, name), "+dither", "-colors", "256", `PNG8:${join(OUT, name)}`]);
} finally {
  await w.release.all();
}
