import { Tooltip } from "@base-ui/react/tooltip";
import type { ComponentProps, ReactElement, ReactNode } from "react";
import css from "./kit.module.css";
import { plain } from "./invisible.ts";
import { Seen } from "./seen.tsx";

/** What is read aloud may hold words of others too. */
const named = (label: string | undefined): string | undefined => (label === undefined ? undefined : plain(label));

export const cx = (...names: (string | false | undefined)[]): string => names.filter(Boolean).join(" ");

/** Where lists float: a landmark of their own, so that nothing stands outside of all. */
export const floor = (): HTMLElement | null => (typeof document === "undefined" ? null : document.getElementById("floor"));

export type Tone =
  | "plain" | "create" | "modify" | "delete" | "move" | "secret" | "waiting" | "needs" | "error" | "warning" | "accent";

const isMac = typeof navigator !== "undefined" && /Mac|iPhone|iPad/.test(navigator.platform);

/** `Mod+Shift+D` as the keys of this machine. */
export function keyText(keys: string): string {
  return keys
    .split("+")
    .map((key) => {
      if (key === "Mod") return isMac ? "⌘" : "Ctrl";
      if (key === "Enter") return "↵";
      if (key === "Escape") return "Esc";
      return key.length === 1 ? key.toUpperCase() : key;
    })
    .join(isMac ? "" : " ");
}

export function Kbd({ keys }: { keys: string }) {
  return <kbd className={css.kbd} aria-hidden="true">{keyText(keys)}</kbd>;
}

interface ButtonProps extends ComponentProps<"button"> {
  look?: "primary" | "plain" | "outline";
  /** Shown behind the label; the shortcut itself is registered elsewhere. */
  keys?: string | undefined;
  /** Why it cannot be pressed now. The button stays focusable and says so. */
  reason?: string | undefined;
}

export function Button({ look = "outline", keys, reason, className, children, onClick, ...rest }: ButtonProps) {
  const button = (
    <button
      type="button"
      {...rest}
      aria-label={named(rest["aria-label"])}
      className={cx(css.button, look === "primary" && css.primary, look === "plain" && css.plain, className)}
      aria-disabled={reason !== undefined || undefined}
      aria-keyshortcuts={keys?.replace("Mod", isMac ? "Meta" : "Control")}
      onClick={reason === undefined ? onClick : (event) => event.preventDefault()}
    >
      {children}
      {keys && <Kbd keys={keys} />}
    </button>
  );
  return reason === undefined ? button : <Tip text={reason}>{button}</Tip>;
}

interface IconButtonProps extends ComponentProps<"button"> {
  label: string;
  keys?: string;
  /** Why it cannot be pressed now, as with a button. */
  reason?: string | undefined;
}

export function IconButton({ label, keys, reason, className, children, onClick, ...rest }: IconButtonProps) {
  return (
    <Tip text={reason !== undefined ? `${label}. ${reason}` : keys ? `${label}  ${keyText(keys)}` : label}>
      <button
        type="button" aria-label={plain(label)} aria-disabled={reason !== undefined || undefined} {...rest} className={cx(css.button, css.plain, css.icon, className)}
        onClick={reason === undefined ? onClick : (event) => event.preventDefault()}
      >
        {children}
      </button>
    </Tip>
  );
}

export function Tip({ text, children }: { text: string; children: ReactElement }) {
  return (
    <Tooltip.Root>
      <Tooltip.Trigger render={children} delay={450} />
      <Tooltip.Portal container={floor()}>
        <Tooltip.Positioner sideOffset={6} className={css.positioner}>
          <Tooltip.Popup className={css.tip}><Seen text={text} /></Tooltip.Popup>
        </Tooltip.Positioner>
      </Tooltip.Portal>
    </Tooltip.Root>
  );
}

export function Pill({ tone = "plain", children, title }: { tone?: Tone; children: ReactNode; title?: string | undefined }) {
  return <span className={cx(css.pill, tone !== "plain" && css[tone])} title={title}>{children}</span>;
}

export function Checkbox({ some, ...rest }: ComponentProps<"input"> & { some?: boolean | undefined }) {
  return (
    <input
      type="checkbox"
      {...rest}
      aria-label={named(rest["aria-label"])}
      className={css.check}
      ref={(node) => {
        if (node) node.indeterminate = some === true;
      }}
    />
  );
}

interface FieldProps extends ComponentProps<"input"> {
  label: string;
  hint?: string;
  mono?: boolean;
}

export function Field({ label, hint, mono, ...rest }: FieldProps) {
  return (
    <label className={css.field}>
      <span>{label}</span>
      <input {...rest} className={cx(css.input, mono && css.mono)} autoComplete="off" spellCheck={false} />
      {hint && <span className={css.hint}>{hint}</span>}
    </label>
  );
}

export function Actions({ children }: { children: ReactNode }) {
  return <div className={css.actions}>{children}</div>;
}
