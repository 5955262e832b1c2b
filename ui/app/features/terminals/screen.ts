/** One xterm on the page. What is loaded only when somebody looks at a terminal. */
import { Terminal, type ITheme } from "@xterm/xterm";
import "@xterm/xterm/css/xterm.css";
import type { Sink } from "#client/terminal/follower.ts";
import { silence } from "#client/terminal/queries.ts";
import type { CellSize } from "#client/terminal/records.ts";
import css from "./terminals.module.css";

/** Ansi colours that keep their meaning on each ground; contrast is raised by xterm where a program's own is too low. */
const DARK: ITheme = {
  background: "#14171c", foreground: "#dfe3ea", cursor: "#dfe3ea", cursorAccent: "#14171c", selectionBackground: "#33496b",
  black: "#3a414c", red: "#f28b82", green: "#7fd18b", yellow: "#e6c35c", blue: "#82aaff", magenta: "#d6a0e8", cyan: "#6fcbd6", white: "#c9ced8",
  brightBlack: "#8b93a1", brightRed: "#ffa79f", brightGreen: "#9fe3a8", brightYellow: "#f5d883", brightBlue: "#a6c1ff", brightMagenta: "#e5bdf2", brightCyan: "#94dfe8", brightWhite: "#f4f6fa",
};
const LIGHT: ITheme = {
  background: "#fcfcfd", foreground: "#23272f", cursor: "#23272f", cursorAccent: "#fcfcfd", selectionBackground: "#c8d9f8",
  black: "#23272f", red: "#b3261e", green: "#1c6b32", yellow: "#7a5a00", blue: "#1f54b8", magenta: "#86309c", cyan: "#0b6470", white: "#5a616d",
  brightBlack: "#5f6672", brightRed: "#c3362d", brightGreen: "#1f7a39", brightYellow: "#876500", brightBlue: "#2b63cc", brightMagenta: "#983cae", brightCyan: "#0f7482", brightWhite: "#3d434d",
};

const dark = window.matchMedia("(prefers-color-scheme: dark)");
const isDark = (): boolean => (document.documentElement.dataset["theme"] ?? (dark.matches ? "dark" : "light")) === "dark";

export interface ScreenOptions {
  frame: HTMLElement;
  label: string;
  size: CellSize;
  fontSize: number;
  readOnly: boolean;
  screenReader: boolean;
  data(text: string): void;
  binary(bytes: Uint8Array): void;
  focused(on: boolean): void;
  openLink(address: string): void;
}

type Operation = { bytes: Uint8Array; shown(): void } | { run(): void };

export class Screen implements Sink {
  readonly terminal: Terminal;
  private readonly queue: Operation[] = [];
  private writing = 0;
  private settling = false;
  private readonly stops: (() => void)[] = [];

  constructor(private readonly options: ScreenOptions) {
    const { frame, size, label } = options;
    this.terminal = new Terminal({
      cols: size.columns, rows: size.rows, scrollback: 5_000, fontSize: options.fontSize, lineHeight: 1.15,
      fontFamily: '"JetBrains Mono", ui-monospace, monospace', fontWeightBold: "600", minimumContrastRatio: 4.5, theme: isDark() ? DARK : LIGHT,
      disableStdin: options.readOnly, screenReaderMode: options.screenReader, cursorInactiveStyle: "outline",
      linkHandler: { activate: (_event, address) => /^https:\/\//i.test(address) && options.openLink(address), allowNonHttpProtocols: false },
    });
    silence(this.terminal.parser);
    const host = document.createElement("div");
    host.className = css.host ?? "";
    frame.replaceChildren(host);
    this.terminal.open(host);
    const { textarea } = this.terminal;
    textarea?.setAttribute("aria-label", label);
    if (options.readOnly && textarea) textarea.tabIndex = -1;
    this.terminal.onData(options.data);
    this.terminal.onBinary((text) => options.binary(Uint8Array.from(text, (c) => c.charCodeAt(0))));
    // The application's own way out; everything else belongs to the program.
    this.terminal.attachCustomKeyEventHandler((event) => !((event.ctrlKey || event.metaKey) && event.key === "`"));
    this.on(textarea, "focus", () => options.focused(true));
    this.on(textarea, "blur", () => options.focused(false));
    const paint = () => void (this.terminal.options.theme = isDark() ? DARK : LIGHT);
    this.on(dark, "change", paint);
    const themes = new MutationObserver(paint);
    themes.observe(document.documentElement, { attributeFilter: ["data-theme"] });
    this.stops.push(() => themes.disconnect());
    this.followTouch(host);
    // Cells are measured anew when the typeface has come.
    void document.fonts?.ready.then(() => this.setFontSize(options.fontSize));
  }

  write(bytes: Uint8Array, shown: () => void): void {
    this.queue.push({ bytes, shown });
    this.pump();
  }

  clear(size?: CellSize): void {
    this.queue.push({ run: () => {
      this.terminal.reset();
      if (size) this.terminal.resize(size.columns, size.rows);
    } });
    this.pump();
  }

  resize(size: CellSize): void {
    this.queue.push({ run: () => this.terminal.resize(size.columns, size.rows) });
    this.pump();
  }

  /** How many cells the frame has room for; undefined while it has no size. */
  room(): CellSize | undefined {
    const { frame } = this.options;
    const cell = this.cell();
    const style = getComputedStyle(frame);
    const width = frame.clientWidth - parseFloat(style.paddingLeft) - parseFloat(style.paddingRight);
    const height = frame.clientHeight - parseFloat(style.paddingTop) - parseFloat(style.paddingBottom);
    if (!cell || width < cell.width * 8 || height < cell.height * 2) return undefined;
    return { columns: Math.min(500, Math.floor(width / cell.width)), rows: Math.min(300, Math.floor(height / cell.height)) };
  }

  setFontSize(size: number): void {
    this.options.fontSize = size;
    this.terminal.options.fontSize = size + 0.01;
    this.terminal.options.fontSize = size;
  }

  setScreenReader(on: boolean): void {
    this.terminal.options.screenReaderMode = on;
  }

  focus(): void {
    this.terminal.focus();
  }

  dispose(): void {
    for (const stop of this.stops) stop();
    this.queue.length = 0;
    this.terminal.dispose();
  }

  private cell(): { width: number; height: number } | undefined {
    const screen = this.terminal.element?.querySelector<HTMLElement>(".xterm-screen");
    if (!screen || screen.offsetWidth === 0) return undefined;
    return { width: screen.offsetWidth / this.terminal.cols, height: screen.offsetHeight / this.terminal.rows };
  }

  /** Writes may overlap, but a new size waits until everything before it has been taken in, and nothing passes it. */
  private pump(): void {
    for (let next = this.queue[0]; next && !this.settling; next = this.queue[0]) {
      if ("run" in next) {
        if (this.writing > 0) return;
        this.queue.shift();
        next.run();
        continue;
      }
      this.queue.shift();
      this.writing += 1;
      const { shown } = next;
      this.terminal.write(next.bytes, () => {
        this.writing -= 1;
        shown();
        if (this.writing > 0 || this.queue.length === 0) return;
        // xterm is still in the middle of its own loop here.
        this.settling = true;
        setTimeout(() => {
          this.settling = false;
          this.pump();
        }, 0);
      });
    }
  }

  /** A finger scrolls the lines; sideways the frame scrolls by itself. */
  private followTouch(host: HTMLElement): void {
    let last: number | undefined;
    let rest = 0;
    host.addEventListener("touchstart", (event) => {
      last = event.touches.length === 1 ? event.touches[0]?.clientY : undefined;
      rest = 0;
    }, { passive: true });
    host.addEventListener("touchmove", (event) => {
      const y = event.touches[0]?.clientY;
      const cell = this.cell();
      if (last === undefined || y === undefined || !cell) return;
      rest += (last - y) / cell.height;
      last = y;
      const lines = Math.trunc(rest);
      rest -= lines;
      if (lines !== 0) this.terminal.scrollLines(lines);
    }, { passive: true });
  }

  private on(target: EventTarget | undefined, name: string, act: () => void): void {
    target?.addEventListener(name, act);
    this.stops.push(() => target?.removeEventListener(name, act));
  }
}
