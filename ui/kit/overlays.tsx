import { Dialog } from "@base-ui/react/dialog";
import { Menu } from "@base-ui/react/menu";
import { Popover } from "@base-ui/react/popover";
import { Toast } from "@base-ui/react/toast";
import { X } from "lucide-react";
import type { ReactElement, ReactNode, RefObject } from "react";
import { cx, floor } from "./core.tsx";
import css from "./kit.module.css";
import { Seen } from "./seen.tsx";

interface SheetProps {
  title: string;
  close: string;
  open: boolean;
  onClose(): void;
  wide?: boolean;
  /** What has the focus first; the button that closes when absent. */
  first?: RefObject<HTMLElement | null>;
  /** Whether the focus goes back to where it was; not where it goes on to another place. */
  returnFocus?: boolean;
  children: ReactNode;
}

export function Sheet({ title, close, open, onClose, wide, first, returnFocus = true, children }: SheetProps) {
  return (
    <Dialog.Root open={open} onOpenChange={(next) => !next && onClose()}>
      <Dialog.Portal>
        <Dialog.Backdrop className={css.veil} />
        <Dialog.Popup className={cx(css.dialog, wide && css.wide)} finalFocus={returnFocus} {...(first ? { initialFocus: first } : {})}>
          <div className={css.dialogHead}>
            <Dialog.Title><Seen text={title} /></Dialog.Title>
            {/* Without a tip: it would take the Escape that closes the sheet. */}
            <Dialog.Close className={cx(css.button, css.plain, css.icon)} aria-label={close}><X size={16} /></Dialog.Close>
          </div>
          <div className={css.dialogBody}>{children}</div>
        </Dialog.Popup>
      </Dialog.Portal>
    </Dialog.Root>
  );
}

interface PopProps {
  trigger: ReactElement;
  label: string;
  children: ReactNode;
  open?: boolean;
  onOpenChange?(open: boolean): void;
  /** Whether the focus goes back to the trigger; not where it goes on to another place. */
  returnFocus?: boolean;
}

export function Pop({ trigger, label, children, open, onOpenChange, returnFocus = true }: PopProps) {
  const controlled = open === undefined ? {} : { open };
  return (
    <Popover.Root {...controlled} onOpenChange={(next) => onOpenChange?.(next)}>
      <Popover.Trigger render={trigger} />
      <Popover.Portal>
        <Popover.Positioner sideOffset={6} align="end" className={css.positioner}>
          <Popover.Popup className={css.pop} aria-label={label} finalFocus={returnFocus}>{children}</Popover.Popup>
        </Popover.Positioner>
      </Popover.Portal>
    </Popover.Root>
  );
}

export function Dropdown({ trigger, children, align = "start" }: { trigger: ReactElement; children: ReactNode; align?: "start" | "end" }) {
  return (
    <Menu.Root>
      <Menu.Trigger render={trigger} />
      <Menu.Portal container={floor()}>
        <Menu.Positioner sideOffset={6} align={align} className={css.positioner}>
          <Menu.Popup className={css.pop}>{children}</Menu.Popup>
        </Menu.Positioner>
      </Menu.Portal>
    </Menu.Root>
  );
}

interface ItemProps {
  onClick(): void;
  children: ReactNode;
  disabled?: boolean;
}

export function MenuItem({ onClick, children, disabled = false }: ItemProps) {
  return <Menu.Item className={css.item} onClick={onClick} disabled={disabled}>{children}</Menu.Item>;
}

export const MenuSeparator = () => <Menu.Separator className={css.separator} />;

/** Says what was done, with a way back. */
export const toasts = Toast.createToastManager();

export function Toasts() {
  return (
    <Toast.Provider toastManager={toasts} timeout={8000}>
      <Toast.Portal>
        <Toast.Viewport className={css.toasts}><ToastList /></Toast.Viewport>
      </Toast.Portal>
    </Toast.Provider>
  );
}

function ToastList() {
  const { toasts: list } = Toast.useToastManager();
  return list.map((toast) => (
    <Toast.Root key={toast.id} toast={toast} className={css.toast} data-toast="">
      <div>
        <Toast.Title>{typeof toast.title === "string" ? <Seen text={toast.title} /> : toast.title}</Toast.Title>
      </div>
      <Toast.Action />
    </Toast.Root>
  ));
}
