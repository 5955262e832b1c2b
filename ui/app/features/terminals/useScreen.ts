import { useEffect, useRef, useState, type RefObject } from "react";
import type { Terminal } from "#client/api.gen.ts";
import { Follower, type FollowState, type Gap } from "#client/terminal/follower.ts";
import { plain } from "#kit/invisible.ts";
import { toasts } from "#kit/overlays.tsx";
import { useEngine, useMay } from "../../engine.tsx";
import { usePref } from "../../prefs.ts";
import { w } from "../../words.ts";
import type { Screen } from "./screen.ts";
import { queueOf } from "./typing.ts";

const LOCAL_WINDOW = 1024 * 1024;
const PHONE_WINDOW = 256 * 1024;
const RESIZE_MS = 150;
const BEHIND_MS = 2_000;

export interface Shown {
  state: FollowState;
  gaps: Gap[];
  epoch: string | undefined;
  /** More than two seconds behind what the desktop has. */
  delayed: boolean;
  screen: Screen | undefined;
  /** Sets the terminal's size to what fits here. */
  fit(): void;
}

/** Puts a terminal into `frame` and keeps it up to date for as long as the component is shown. */
export function useScreen(frame: RefObject<HTMLDivElement | null>, terminal: Terminal, readOnly: boolean, fontSize: number): Shown {
  const { connection, phone, prefs } = useEngine();
  const may = useMay("type");
  const [aloud] = usePref(prefs, "terminals.aloud", false);
  const [shown, setShown] = useState<Omit<Shown, "fit">>({ state: { kind: "attaching" }, gaps: [], epoch: undefined, delayed: false, screen: undefined });
  const fitting = useRef<() => void>(() => {});
  const { id, title } = terminal;
  const begin = useRef({ columns: terminal.columns, rows: terminal.rows, fontSize, aloud });
  begin.current = { columns: terminal.columns, rows: terminal.rows, fontSize, aloud };

  useEffect(() => {
    const box = frame.current;
    if (!box) return;
    let stop = () => {};
    let gone = false;
    void import("./screen.ts").then(({ Screen }) => {
      if (gone) return;
      const queue = queueOf(connection, id);
      const canType = may && !readOnly;
      let driving = false;
      let timer: ReturnType<typeof setTimeout> | undefined;
      const fit = () => {
        const room = screen.room();
        const { cols, rows } = screen.terminal;
        if (!room || follower.state.kind === "ended" || (room.columns === cols && room.rows === rows)) return;
        connection.call("terminals.resize", { terminal: id, ...room }).catch(() => {
          // A size that was not taken changes nothing that is shown.
        });
      };
      // Only who types sets the size, so that two windows do not fight over it.
      const later = () => {
        clearTimeout(timer);
        timer = setTimeout(() => driving && fit(), RESIZE_MS);
      };
      const { columns, rows, aloud: screenReader } = begin.current;
      const screen = new Screen({
        frame: box, label: plain(w.terminals.input(title)), size: { columns, rows }, fontSize: begin.current.fontSize, readOnly: !canType, screenReader,
        data: (text) => canType && queue.type(text),
        binary: (bytes) => canType && queue.type(bytes),
        focused: (on) => {
          driving = on && canType && !phone;
          if (driving) later();
        },
        openLink: (address) => {
          toasts.add({ title: address, actionProps: { children: w.terminals.link, onClick: () => void window.open(address, "_blank", "noopener,noreferrer") } });
        },
      });
      const tell = () => setShown({ state: follower.state, gaps: follower.gaps, epoch: follower.epoch, delayed: false, screen });
      const follower: Follower = new Follower({
        caller: connection, terminal: id, window: phone ? PHONE_WINDOW : LOCAL_WINDOW, sink: screen,
        changed: () => queueMicrotask(() => !gone && tell()),
      });
      const observer = new ResizeObserver(later);
      observer.observe(box);
      const unfollow = phone ? followHead(follower, (stream) => phone.head(stream), (delayed) => setShown((s) => (s.delayed === delayed ? s : { ...s, delayed }))) : () => {};
      fitting.current = fit;
      tell();
      stop = () => {
        clearTimeout(timer);
        observer.disconnect();
        unfollow();
        follower.close();
        screen.dispose();
        fitting.current = () => {};
      };
    });
    return () => {
      gone = true;
      stop();
    };
  }, [frame, connection, phone, id, title, may, readOnly]);

  const { screen } = shown;
  useEffect(() => screen?.setFontSize(fontSize), [screen, fontSize]);
  useEffect(() => screen?.setScreenReader(aloud), [screen, aloud]);
  return { ...shown, fit: () => fitting.current() };
}

/** Compares what is shown with how far the desktop says it is. */
function followHead(follower: Follower, head: (stream: number) => number | undefined, tell: (delayed: boolean) => void): () => void {
  let since: number | undefined;
  const timer = setInterval(() => {
    const at = follower.stream === undefined ? undefined : head(follower.stream);
    const behind = at !== undefined && at > follower.at && follower.state.kind === "live";
    since = behind ? (since ?? Date.now()) : undefined;
    tell(since !== undefined && Date.now() - since > BEHIND_MS);
  }, 500);
  return () => clearInterval(timer);
}
