import { useRef, type KeyboardEvent, type PointerEvent } from "react";

interface SplitterProps {
  label: string;
  className: string | undefined;
  /** The share of the first pane, 0–1. */
  value: number;
  onChange(value: number): void;
  direction: "columns" | "rows";
}

const LEAST = 0.15;
const clamp = (v: number) => Math.min(1 - LEAST, Math.max(LEAST, v));

/** The line between two panes: dragged, or moved with the arrow keys. */
export function Splitter({ label, className, value, onChange, direction }: SplitterProps) {
  const dragging = useRef(false);
  const columns = direction === "columns";
  const move = (event: PointerEvent<HTMLDivElement>) => {
    const box = event.currentTarget.parentElement?.getBoundingClientRect();
    if (!dragging.current || !box) return;
    onChange(clamp(columns ? (event.clientX - box.left) / box.width : (event.clientY - box.top) / box.height));
  };
  const key = (event: KeyboardEvent) => {
    const back = columns ? "ArrowLeft" : "ArrowUp";
    const on = columns ? "ArrowRight" : "ArrowDown";
    if (event.key !== back && event.key !== on) return;
    event.preventDefault();
    onChange(clamp(value + (event.key === on ? 0.03 : -0.03)));
  };
  return (
    <div
      role="separator"
      tabIndex={0}
      aria-label={label}
      aria-orientation={columns ? "vertical" : "horizontal"}
      aria-valuenow={Math.round(value * 100)}
      aria-valuemin={LEAST * 100}
      aria-valuemax={(1 - LEAST) * 100}
      className={className}
      onKeyDown={key}
      onPointerDown={(event) => {
        dragging.current = true;
        event.currentTarget.setPointerCapture(event.pointerId);
        event.currentTarget.dataset["drag"] = "";
      }}
      onPointerMove={move}
      onPointerUp={(event) => {
        dragging.current = false;
        delete event.currentTarget.dataset["drag"];
      }}
    />
  );
}
