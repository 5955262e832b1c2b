// Takes the pictures of docs/screenshots from the real programs: `npm run screenshots` after `cargo build --workspace`.
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { run } from "./lib/programs.mjs";
import { TASK } from "./lib/repository.mjs";
import { confirm, letIn, setUp, world } from "./lib/world.mjs";

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
  const ui = await w.serve();
  const { page } = await letIn(w.chromium, ui);
  const shot = (name) => page.screenshot({ path: join(OUT, `${name}.png`), animations: "disabled" });

  await page.getByLabel("Folder").fill(w.repo);
  await page.getByRole("button", { name: "Grant folder", exact: true }).click();
  await page.getByRole("button", { name: /^Account/ }).first().click();
  await page.getByLabel("Server").fill(w.proxy.url);
  await page.getByRole("button", { name: "Sign in", exact: true }).first().click();
  const link = page.getByRole("link", { name: /Open the page/ });
  await confirm(person, await link.getAttribute("href"));
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

  const server = person.pages()[0];
  await server.setViewportSize({ width: 900, height: 600 });
  await server.goto(w.proxy.url);
  await server.screenshot({ path: join(OUT, "server-light.png") });
} finally {
  await w.release.all();
}
