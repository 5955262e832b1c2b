import { CloudOff, LoaderCircle } from "lucide-react";
import { useEffect, useRef, useState, type ClipboardEvent } from "react";
import type { Terminal } from "#client/api.gen.ts";
import { Button, Pill } from "#kit/core.tsx";
import { bytes } from "#kit/format.ts";
import { plain } from "#kit/invisible.ts";
import { Note, useAfter } from "#kit/states.tsx";
import { useEngine, useMay } from "../../engine.tsx";
import { ErrorNote } from "../../ErrorNote.tsx";
import { usePref } from "../../prefs.ts";
import { w } from "../../words.ts";
import { GapSheet } from "./GapSheet.tsx";
import { Composer } from "./Composer.tsx";
import { PasteNote, usePaste } from "./paste.tsx";
import css from "./terminals.module.css";
import { TerminalTools } from "./TerminalTools.tsx";
import { needsPaste, useTyping } from "./typing.ts";
import { useScreen, type Shown } from "./useScreen.ts";

interface TerminalViewProps {
  terminal: Terminal;
  /** With a box to write in and a row of keys, for fingers. */
  touch: boolean;
  /** Takes the focus when it is shown. */
  focus?: boolean;
}

/** One terminal: what it shows, and a way to type into it. */
export function TerminalView({ terminal, touch, focus = false }: TerminalViewProps) {
  const { phone, prefs } = useEngine();
  const may = useMay("type");
  const [fontSize, setFontSize] = usePref(prefs, touch ? "terminals.touchText" : "terminals.text", touch ? 12 : 13);
  const frame = useRef<HTMLDivElement>(null);
  const shown = useScreen(frame, terminal, touch, fontSize);
  const { queue, waiting, dropped } = useTyping(terminal.id);
  const paste = usePaste(queue);
  const [reading, setReading] = useState(false);
  const late = useAfter(waiting > 0, 1_000);
  const running = terminal.state === "running" && shown.state.kind !== "ended";
  const { screen } = shown;
  useEffect(() => {
    if (focus && screen && !touch) screen.focus();
  }, [focus, screen, touch]);
  const pasted = (event: ClipboardEvent) => {
    if (touch || !may || !running) return;
    event.preventDefault();
    event.stopPropagation();
    const text = event.clipboardData.getData("text/plain");
    if (needsPaste(text)) paste.paste(text);
    else queue.type(text);
  };
  return (
    <div className={css.view}>
      <TerminalTools terminal={terminal} running={running} fit={shown.fit} touch={touch} fontSize={fontSize} setFontSize={setFontSize}>
        {shown.delayed && <Pill tone="waiting" title={w.terminals.delayedText}>{w.terminals.delayed}</Pill>}
        {late && <span className={css.behind} role="status">{w.terminals.waiting(waiting)}</span>}
      </TerminalTools>
      {shown.gaps.length > 0 && <GapLine shown={shown} read={() => setReading(true)} />}
      <div className={css.frame} ref={frame} role="group" aria-label={plain(w.terminals.output(terminal.title))} data-terminal={terminal.id} tabIndex={touch ? 0 : -1} onPasteCapture={pasted} />
      <Below shown={shown} terminal={terminal} />
      {paste.refused && <PasteNote refused={paste.refused} typeAnyway={paste.typeAnyway} close={paste.clear} />}
      <ErrorNote error={paste.error ?? dropped} />
      {touch && running && may && (
        <Composer queue={queue} paste={paste} application={() => screen?.terminal.modes.applicationCursorKeysMode ?? false} />
      )}
      {running && !may && <p className={css.line}>{w.terminals.readOnly}</p>}
      {reading && <GapSheet terminal={terminal.id} epoch={shown.epoch} gaps={shown.gaps} close={() => setReading(false)} window={phone ? 64 * 1024 : 1024 * 1024} />}
    </div>
  );
}

function GapLine({ shown, read }: { shown: Shown; read(): void }) {
  const size = shown.gaps.reduce((sum, gap) => sum + gap.to - gap.from, 0);
  return (
    <div className={css.gap} role="status">
      <span>{w.terminals.gap(bytes(size))}</span>
      <Button look="plain" onClick={read}>{w.terminals.readGap}</Button>
    </div>
  );
}

/** Why nothing comes any more, or not now. */
function Below({ shown, terminal }: { shown: Shown; terminal: Terminal }) {
  const { state } = shown;
  const slow = useAfter(state.kind === "attaching", 400);
  const away = useAfter(state.kind === "offline", 2_000);
  switch (state.kind) {
    case "attaching":
      return slow ? <p className={css.line} role="status"><LoaderCircle size={14} aria-hidden="true" />{w.terminals.attaching}</p> : null;
    case "offline":
      return away ? <p className={css.line} role="status"><CloudOff size={14} aria-hidden="true" />{w.terminals.offline}</p> : null;
    case "retrying":
      return <p className={css.line} role="status"><CloudOff size={14} aria-hidden="true" />{w.terminals.retrying}</p>;
    case "ended":
      return <p className={css.line} role="status">{w.terminals.exitLine(state.exit)}</p>;
    case "failed":
      return <div className={css.inset}><ErrorNote error={state.error} /></div>;
    case "live":
      return terminal.state === "lost" ? <div className={css.inset}><Note>{w.terminals.lostLine}</Note></div> : null;
  }
}
