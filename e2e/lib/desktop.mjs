// The desktop app on a screen that nobody sees.
import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { binary } from "./programs.mjs";
import { freePort, helper, session, until } from "./webdriver.mjs";

const run = promisify(execFile);
const root = fileURLToPath(new URL("../..", import.meta.url));

/** A screen and a message bus; `open()` starts the app in a home folder and gives a driver for its window. */
export async function screen(release, dir, more = {}) {
  const driver = join(root, "target/tools/bin/tauri-driver");
  for (const path of [driver, "/usr/bin/Xvfb", "/usr/bin/WebKitWebDriver", "/usr/bin/dbus-run-session"])
    if (!existsSync(path)) throw new Error(`${path} is missing; run \`cargo xtask setup\` first`);
  const number = 100 + (process.pid % 400);
  const display = `:${number}`;
  await helper(release, "Xvfb", "/usr/bin/Xvfb", [display, "-screen", "0", "1440x900x24", "-nolisten", "tcp"], {}, () =>
    existsSync(`/tmp/.X11-unix/X${number}`),
  );
  const [port, native] = [await freePort(), await freePort()];
  const runtime = join(dir, "runtime");
  await mkdir(runtime, { recursive: true, mode: 0o700 });
  const env = {
    DISPLAY: display,
    GDK_BACKEND: "x11",
    NO_AT_BRIDGE: "1",
    LIBGL_ALWAYS_SOFTWARE: "1",
    WEBKIT_DISABLE_DMABUF_RENDERER: "1",
    XDG_RUNTIME_DIR: runtime,
    HOME: dir,
    PLANTOCODE_HOME: join(dir, "home"),
    ...more,
  };
  const base = `http://127.0.0.1:${port}`;
  const script = 'echo "bus $DBUS_SESSION_BUS_ADDRESS"; exec "$0" "$@"';
  const words = ["--", "sh", "-c", script, driver, "--port", String(port), "--native-port", String(native)];
  const bus = await helper(release, "tauri-driver", "/usr/bin/dbus-run-session", words, env, async () => (await fetch(`${base}/status`)).ok);
  // Programs on the same bus see each other, as in a person's session.
  env.DBUS_SESSION_BUS_ADDRESS = /^bus (\S+)$/m.exec(bus.printed())[1];
  const windows = (pid, ...more) => run("python3", [join(root, "e2e/lib/close_window.py"), display, String(pid), ...more], { timeout: 20_000 });
  return {
    env,
    printed: bus.printed,
    /** The whole screen as a PNG. The driver's own screenshots need a graphics card. */
    screenshot: (path) => run("/usr/bin/import", ["-window", "root", path], { env: { ...process.env, DISPLAY: display }, timeout: 20_000 }),
    /** Closes the windows of a process as a person would. */
    closeWindow: (pid) => windows(pid),
    hasWindow: (pid) => windows(pid, "--look").then(() => true, () => false),
    async open() {
      const window = await session(base, binary("plantocode-desktop"));
      await until("the page", async () => (await window.text()).trim() !== "");
      return window;
    },
  };
}
