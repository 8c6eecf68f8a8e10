/**
 * A dialog: the browser's own element, which keeps the focus inside and gives it back.
 */
import { useEffect, useRef, type ReactNode } from "react";
import { Glyph } from "../canvas/icons";
import { t } from "../messages";

export interface DialogButton {
  readonly title: string;
  readonly run: () => void;
  readonly primary?: boolean;
  readonly danger?: boolean;
  readonly disabled?: boolean;
}

export interface DialogProps {
  readonly id: string;
  readonly title: string;
  readonly size?: "small" | "medium" | "large" | "full";
  readonly onClose: () => void;
  readonly buttons?: readonly DialogButton[];
  readonly children: ReactNode;
}

export function Dialog({ id, title, size = "medium", onClose, buttons = [], children }: DialogProps) {
  const element = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    const dialog = element.current!;
    const before = document.activeElement;
    if (!dialog.open) dialog.showModal();
    return () => {
      dialog.close();
      if (before instanceof HTMLElement && before.isConnected) before.focus({ preventScroll: true });
    };
  }, []);
  return (
    <dialog
      ref={element}
      role="dialog"
      className={`dialog is-${size}`}
      aria-labelledby={`${id}-title`}
      onCancel={(event) => {
        event.preventDefault();
        onClose();
      }}
      onKeyDown={(event) => {
        // React's events go up through what a dialog was opened from: its keys are not theirs.
        event.stopPropagation();
      }}
    >
      <header className="dialog-head">
        <h2 id={`${id}-title`}>{title}</h2>
        <button type="button" className="icon-button" aria-label={t("dialog.close")} onClick={onClose}>
          <Glyph name="close" size={16} />
        </button>
      </header>
      <div className="dialog-body">{children}</div>
      {buttons.length > 0 && (
        <footer className="dialog-foot">
          {buttons.map((button) => (
            <button key={button.title} type="button" className={button.primary ? "is-primary" : button.danger ? "is-danger" : ""} disabled={button.disabled} onClick={button.run}>
              {button.title}
            </button>
          ))}
        </footer>
      )}
    </dialog>
  );
}
