// A git repository made by the test.
import { execFile } from "node:child_process";
import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { promisify } from "node:util";

const exec = promisify(execFile);

export const TASK = "Retry `send` when the connection is reset\n\nUse a policy with a limit, and cover it with a test.";

const FILES = {
  "Cargo.toml": '[package]\nname = "courier"\nversion = "0.1.0"\nedition = "2024"\n',
  "README.md": "# Courier\n\nSends parcels over a connection that may be reset.\n",
  "src/lib.rs": "//! Sends parcels.\npub mod connection;\npub mod parcel;\npub mod policy;\npub mod send;\n",
  "src/connection.rs":
    "//! A connection to the depot.\nuse std::io;\n\n/// An open connection.\npub struct Connection {\n    pub address: String,\n}\n\nimpl Connection {\n    /// Writes bytes; fails when the connection is reset.\n    pub fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {\n        Ok(bytes.len())\n    }\n}\n",
  "src/parcel.rs":
    "//! What is sent.\n\n/// A parcel with its weight in grams.\n#[derive(Clone, Debug)]\npub struct Parcel {\n    pub grams: u32,\n    pub contents: Vec<u8>,\n}\n",
  "src/policy.rs":
    "//! How often to try again.\n\n/// At most this many attempts.\npub struct Policy {\n    pub limit: u32,\n}\n\nimpl Default for Policy {\n    fn default() -> Policy {\n        Policy { limit: 1 }\n    }\n}\n",
  "src/send.rs":
    "//! Sending.\nuse crate::connection::Connection;\nuse crate::parcel::Parcel;\nuse std::io;\n\n/// Sends a parcel; gives up at the first reset.\npub fn send(connection: &mut Connection, parcel: &Parcel) -> io::Result<()> {\n    connection.write(&parcel.contents)?;\n    Ok(())\n}\n",
  "tests/sending.rs":
    'use courier::connection::Connection;\nuse courier::parcel::Parcel;\n\n#[test]\nfn a_parcel_arrives() {\n    let mut connection = Connection { address: "depot".into() };\n    let parcel = Parcel { grams: 10, contents: vec![1] };\n    courier::send::send(&mut connection, &parcel).unwrap();\n}\n',
};

/** Makes the repository in `dir`, with `more` files, committed. */
export async function repository(dir, more = {}) {
  for (const [path, text] of Object.entries({ ...FILES, ...more })) {
    await mkdir(dirname(join(dir, path)), { recursive: true });
    await writeFile(join(dir, path), text);
  }
  const git = (...args) => exec("git", ["-c", "user.name=E2E", "-c", "user.email=e2e@example.com", "-c", "core.hooksPath=/dev/null", ...args], { cwd: dir });
  await git("init", "--quiet");
  await git("add", ".");
  await git("commit", "--quiet", "--message", "Begin");
  return dir;
}
