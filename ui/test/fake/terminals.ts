import type { Methods, Pasted, Terminal } from "#client/api.gen.ts";
import { ApiError } from "#client/rpc.ts";
import { DATA, EXIT, GAP, RESIZE, SNAPSHOT } from "#client/terminal/records.ts";
import { NOW } from "./data.ts";

const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);
const ESC = "\u001b";
const dim = (text: string) => `${ESC}[2m${text}${ESC}[0m`;
const green = (text: string) => `${ESC}[32m${text}${ESC}[0m`;
const bold = (text: string) => `${ESC}[1m${text}${ESC}[0m`;

export const AGENT = [
  `${bold("agent")} ${dim("in courier on main")}`, "",
  "> Add a RetryPolicy and use it in Client::send", "",
  `${green("●")} Read ${bold("src/http/client.rs")} (71 lines)`,
  `${green("●")} Read ${bold("src/config.rs")} (104 lines)`,
  `${green("●")} Write ${bold("src/http/retry.rs")}`,
  `${dim("   1")} ${green("+pub struct RetryPolicy {")}`,
  `${dim("   2")} ${green("+    pub attempts: u32,")}`,
  `${dim("   3")} ${green("+    pub first_delay: Duration,")}`,
  `${dim("   4")} ${green("+    pub jitter: f64,")}`,
  `${dim("   5")} ${green("+}")}`, "",
  `${ESC}[33m?${ESC}[0m Run ${bold("cargo test -p courier http::client")}?  ${dim("[y/n]")} `,
].join("\r\n");
export const SHELL = ["ada@lab:~/code/courier$ cargo test", "   Compiling courier v0.3.1", "    Finished test profile in 4.21s", "     Running tests/http/client_test.rs", "", "test gives_up_after_three ... ok", "test keeps_the_body ... ok", "", `test result: ${green("ok")}. 2 passed; 0 failed`, "", "ada@lab:~/code/courier$ "].join("\r\n");

export const terminal = (over: Partial<Terminal> = {}): Terminal => ({
  id: "t1", project: "p1", session: "s1", title: "agent", command: ["agent"], state: "running", epoch: "7418529630741852963", head: 0, log_start: 0,
  columns: 80, rows: 24, created_at: NOW - 22 * 60_000, last_output_at: NOW - 3_000, ...over,
});

type Emit = { record(kind: number, epoch: string, offset: number, bytes: Uint8Array): void; end(error?: ApiError): void };

/** One program that writes back what is typed. */
export class FakeTerminal {
  private log: Uint8Array;
  private readonly viewers = new Set<Emit>();
  readonly typed: string[] = [];
  private readonly seen = new Map<string, number>();

  constructor(public info: Terminal, output: string, private readonly pasted: Pasted = { kind: "pasted" }, private readonly lost = 0) {
    this.log = utf8(output);
    this.info = { ...info, head: this.log.length + lost };
  }

  attach({ epoch, have = 0 }: { epoch?: string | null; have?: number }, on: Emit): () => void {
    const from = epoch === this.info.epoch ? have : 0;
    if (from === 0 && this.lost > 0) {
      const gap = new Uint8Array(8);
      new DataView(gap.buffer).setBigUint64(0, BigInt(this.lost));
      on.record(GAP, this.info.epoch, 0, gap);
    }
    if (from < this.lost || (from === 0 && this.lost === 0)) on.record(SNAPSHOT, this.info.epoch, this.lost, this.size(new Uint8Array()));
    const rest = this.log.subarray(Math.max(0, from - this.lost));
    if (rest.length > 0) on.record(DATA, this.info.epoch, Math.max(from, this.lost), rest);
    if (this.info.state !== "running") {
      on.record(EXIT, this.info.epoch, this.info.head, utf8(JSON.stringify(this.info.exit ?? {})));
      on.end();
      return () => {};
    }
    this.viewers.add(on);
    return () => void this.viewers.delete(on);
  }

  history({ from, to }: { from: number; to: number }, on: Emit): void {
    on.record(DATA, this.info.epoch, from, utf8("earlier output, read again\r\n".repeat(20)).subarray(0, to - from));
    on.end();
  }

  write(text: string): void {
    const bytes = utf8(text);
    const offset = this.info.head;
    const log = new Uint8Array(this.log.length + bytes.length);
    log.set(this.log);
    log.set(bytes, this.log.length);
    this.log = log;
    this.info = { ...this.info, head: offset + bytes.length, last_output_at: Date.now() };
    for (const viewer of this.viewers) viewer.record(DATA, this.info.epoch, offset, bytes);
  }

  input({ viewer, seq, data }: Methods["terminals.input"]["params"]): { seq: number } {
    if (this.next(viewer, seq)) {
      const text = atob(data);
      this.typed.push(text);
      this.write(text.replaceAll("\r", "\r\n"));
    }
    return { seq: this.seen.get(viewer) ?? seq };
  }

  paste({ viewer, seq, text }: Methods["terminals.paste"]["params"]): Pasted {
    if (!this.next(viewer, seq)) return this.pasted;
    // eslint-disable-next-line no-control-regex
    if (/[\u0000-\u0008\u000b-\u001f\u007f]/.test(text)) {
      return { kind: "refused", reason: "control_characters", message: "The text has the control character U+001B at byte 4, which could end the paste and run as a command. Nothing was pasted." };
    }
    if (this.pasted.kind === "pasted") this.write(text.replaceAll("\n", "\r\n"));
    return this.pasted;
  }

  resize(columns: number, rows: number): void {
    this.info = { ...this.info, columns, rows };
    for (const viewer of this.viewers) viewer.record(RESIZE, this.info.epoch, this.info.head, this.size(new Uint8Array()));
  }

  end(exit: Terminal["exit"]): void {
    this.info = { ...this.info, state: "exited", ...(exit ? { exit } : {}) };
    for (const viewer of this.viewers) {
      viewer.record(EXIT, this.info.epoch, this.info.head, utf8(JSON.stringify(exit ?? {})));
      viewer.end();
    }
    this.viewers.clear();
  }

  private next(viewer: string, seq: number): boolean {
    const expected = (this.seen.get(viewer) ?? 0) + 1;
    if (seq > expected) throw new ApiError("conflict", "input_sequence", "Another number is expected.", { expected: String(expected) });
    if (seq === expected) this.seen.set(viewer, seq);
    return seq === expected;
  }

  private size(bytes: Uint8Array): Uint8Array {
    const whole = new Uint8Array(4 + bytes.length);
    new DataView(whole.buffer).setUint16(0, this.info.columns);
    new DataView(whole.buffer).setUint16(2, this.info.rows);
    whole.set(bytes, 4);
    return whole;
  }
}

export const agent = (): FakeTerminal => new FakeTerminal(terminal(), AGENT);
export const shell = (over: Partial<Terminal> = {}): FakeTerminal =>
  new FakeTerminal(terminal({ id: "t2", title: "shell", command: [], created_at: NOW - 40 * 60_000, last_output_at: NOW - 4 * 60_000, epoch: "42", ...over }), SHELL, { kind: "refused", reason: "no_bracketed_paste", message: "The program does not take a paste as one piece: each of its lines would be run. Nothing was pasted." });
export const ended = (): FakeTerminal =>
  new FakeTerminal(terminal({ id: "t3", title: "cargo watch", command: ["cargo", "watch", "-x", "test"], session: "s2", state: "exited", exit: { code: 101 }, created_at: NOW - 150 * 60_000, last_output_at: NOW - 90 * 60_000, epoch: "99" }), "error: could not compile `courier` (bin \"courier\") due to 2 previous errors\r\n", { kind: "pasted" }, 12_600);
