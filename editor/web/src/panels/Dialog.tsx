/**
 * A dialog: the browser's own element, which keeps the focus inside and gives it back.
 */
import { useEffect, useRef, type ReactNode } from "react";
import { giveBack } from "../app/focus";
import { Notices } from "../app/Notices";
import { useSession } from "../app/react";
import { Glyph } from "../canvas/icons";
import { viewOf } from "../canvas/view";
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
  /** It says itself what goes on: notices wait until it is closed. */
  readonly telling?: boolean;
  readonly children: ReactNode;
}

/** What is gone to first in a dialog. */
const FIRST = "select, input:not([type=file], :disabled), button:not(:disabled), summary, textarea";

export function Dialog({ id, title, size = "medium", onClose, buttons = [], telling = false, children }: DialogProps) {
  const element = useRef<HTMLDialogElement>(null);
  const view = viewOf(useSession());
  useEffect(() => {
    const dialog = element.current!;
    const before = document.activeElement;
    if (!dialog.open) dialog.showModal();
    // What it is about, not the button that closes it.
    const body = dialog.querySelector(".dialog-body")!;
    (body.querySelector<HTMLElement>("textarea:not([readonly])") ?? body.querySelector<HTMLElement>(FIRST))?.focus();
    return () => {
      dialog.close();
      giveBack(before, view.element);
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
      {!telling && <Notices />}
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
