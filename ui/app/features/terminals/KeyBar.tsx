import { ArrowDown, ArrowLeft, ArrowRight, ArrowUp, CornerDownLeft } from "lucide-react";
import type { ReactNode } from "react";
import type { InputQueue } from "#client/terminal/input.ts";
import { cx } from "#kit/core.tsx";
import { w } from "../../words.ts";
import css from "./terminals.module.css";
import { arrow, controlOf } from "./typing.ts";

interface KeyBarProps {
  queue: InputQueue;
  application(): boolean;
  control: boolean;
  setControl(on: boolean): void;
}

interface Key {
  label: string;
  face: ReactNode;
  send(application: boolean): string;
}

const k = w.terminals.keys;
const KEYS: Key[] = [
  { label: k.escape, face: "Esc", send: () => "\u001b" },
  { label: k.tab, face: "Tab", send: () => "\t" },
  { label: k.interrupt, face: "^C", send: () => "\u0003" },
  { label: k.enter, face: <CornerDownLeft size={16} />, send: () => "\r" },
  { label: k.up, face: <ArrowUp size={16} />, send: (a) => arrow("up", a) },
  { label: k.down, face: <ArrowDown size={16} />, send: (a) => arrow("down", a) },
  { label: k.left, face: <ArrowLeft size={16} />, send: (a) => arrow("left", a) },
  { label: k.right, face: <ArrowRight size={16} />, send: (a) => arrow("right", a) },
  { label: k.slash, face: "/", send: () => "/" },
  { label: k.pipe, face: "|", send: () => "|" },
  { label: k.dash, face: "-", send: () => "-" },
];

/** Keys that a phone's keyboard has not. Ctrl stays down for one key. */
export function KeyBar({ queue, application, control, setControl }: KeyBarProps) {
  const press = (key: Key) => {
    const text = key.send(application());
    queue.type(control ? (controlOf(text) ?? text) : text);
    setControl(false);
  };
  return (
    <div className={css.keys} role="group" aria-label={k.label}>
      <button type="button" className={cx(css.key, control && css.held)} aria-pressed={control} onClick={() => setControl(!control)}>{k.control}</button>
      {KEYS.map((key) => (
        <button key={key.label} type="button" className={css.key} aria-label={key.label} onClick={() => press(key)}>{key.face}</button>
      ))}
    </div>
  );
}
