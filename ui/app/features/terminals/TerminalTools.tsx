import { AArrowDown, AArrowUp, Maximize2, Square, Trash2 } from "lucide-react";
import { useState, type ReactNode } from "react";
import type { Terminal } from "#client/api.gen.ts";
import { Button, IconButton } from "#kit/core.tsx";
import { plain } from "#kit/invisible.ts";
import { useEngine, useMay } from "../../engine.tsx";
import { w } from "../../words.ts";
import { EndSheet } from "./EndSheet.tsx";
import css from "./terminals.module.css";
import { useForget } from "./useTerminals.ts";

interface ToolsProps {
  terminal: Terminal;
  running: boolean;
  touch: boolean;
  fontSize: number;
  setFontSize(size: number): void;
  fit(): void;
  children: ReactNode;
}

const SMALLEST = 8;
const LARGEST = 22;

/** What can be done with the terminal that is shown. */
export function TerminalTools({ terminal, running, touch, fontSize, setFontSize, fit, children }: ToolsProps) {
  const { phone } = useEngine();
  const may = useMay("type");
  const forget = useForget();
  const [ending, setEnding] = useState(false);
  return (
    <div className={css.tools} role="toolbar" aria-label={plain(terminal.title)}>
      <span className={css.size}>{w.terminals.size(terminal.columns, terminal.rows)}</span>
      {children}
      <span className={css.spring} />
      <IconButton label={w.terminals.smaller} disabled={fontSize <= SMALLEST} onClick={() => setFontSize(fontSize - 1)}><AArrowDown size={16} /></IconButton>
      <IconButton label={w.terminals.larger} disabled={fontSize >= LARGEST} onClick={() => setFontSize(fontSize + 1)}><AArrowUp size={16} /></IconButton>
      {running && may && <IconButton label={phone || touch ? w.terminals.fitPhone : w.terminals.fit} onClick={fit}><Maximize2 size={16} /></IconButton>}
      {running && may && <Button look="plain" onClick={() => setEnding(true)}><Square size={14} aria-hidden="true" />{w.terminals.end}</Button>}
      {!running && may && <Button look="plain" onClick={() => forget(terminal)}><Trash2 size={14} aria-hidden="true" />{w.terminals.forget}</Button>}
      <EndSheet terminal={ending ? terminal : undefined} close={() => setEnding(false)} />
    </div>
  );
}
