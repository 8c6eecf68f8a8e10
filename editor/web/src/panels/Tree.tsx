/**
 * A value as a tree that opens step by step: children are made when they are asked for, long lists in pieces.
 */
import { useState } from "react";
import { useSession } from "../app/react";
import { messageOf } from "../app/session";
import { Glyph } from "../canvas/icons";
import { t } from "../messages";
import { childPath, type Value } from "./values";

export interface TreeProps {
  readonly value: Value;
  readonly path: string;
  readonly name?: string;
  /** Paths that stay open in every message of a node. */
  readonly pinned?: ReadonlySet<string>;
  readonly onPin?: (path: string) => void;
  readonly open?: boolean;
}

const PIECE = 100;

export function Tree({ value, path, name, pinned, onPin, open = false }: TreeProps) {
  const isPinned = pinned?.has(path) ?? false;
  const [opened, setOpened] = useState<boolean | null>(null);
  const [shown, setShown] = useState(PIECE);
  const [whole, setWhole] = useState(false);
  const isOpen = opened ?? (open || isPinned);
  const isLeaf = value.length === 0;
  const isLong = isLeaf && value.text.length > 300;
  const children = isOpen && !isLeaf ? value.children() : [];
  return (
    <div className="tree">
      <div className="tree-row">
        {isLeaf ? (
          <span className="tree-gap" />
        ) : (
          <button type="button" className="tree-toggle" aria-expanded={isOpen} aria-label={name ?? path} onClick={() => setOpened(!isOpen)}>
            <Glyph name={isOpen ? "down" : "right"} size={12} />
          </button>
        )}
        {name !== undefined && <span className="tree-name">{name}:</span>}
        <span className={`tree-value is-${value.kind}`}>{isLong && !whole ? `${value.text.slice(0, 300)}…` : value.text}</span>
        {isLong && (
          <button type="button" className="link-button" onClick={() => setWhole(!whole)}>
            {whole ? t("tree.less") : t("tree.more", { count: value.text.length - 300 })}
          </button>
        )}
        <span className="tree-tools">
          <CopyButton label={t("tree.copy-value")} icon="clipboard" text={value.copy} />
          <CopyButton label={t("tree.copy-path")} icon="path" text={() => path} />
          {onPin && !isLeaf && (
            <button type="button" className="icon-button" aria-pressed={isPinned} title={t("tree.pin")} aria-label={t("tree.pin")} onClick={() => onPin(path)}>
              <Glyph name="pin" size={12} />
            </button>
          )}
        </span>
      </div>
      {isOpen && !isLeaf && (
        <div className="tree-children" role="group">
          {children.slice(0, shown).map(([key, child]) => (
            <Tree key={key} name={key} value={child} path={childPath(path, key, value.kind === "array" || value.kind === "buffer" || value.kind === "set")} {...(pinned ? { pinned } : {})} {...(onPin ? { onPin } : {})} />
          ))}
          {children.length > shown && (
            <button type="button" className="link-button" onClick={() => setShown(shown + PIECE * 5)}>
              {t("tree.rest", { count: children.length - shown })}
            </button>
          )}
          {value.length > children.length && value.kind !== "error" && <p className="tree-cut">{t("tree.cut", { count: value.length - children.length })}</p>}
        </div>
      )}
    </div>
  );
}

export function CopyButton({ label, icon, text }: { label: string; icon: string; text: () => string }) {
  const session = useSession();
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(text());
      session.notify("success", t("tree.copied"));
    } catch (error) {
      session.notify("warning", t("tree.not-copied", { reason: messageOf(error) }));
    }
  };
  return (
    <button type="button" className="icon-button" title={label} aria-label={label} onClick={() => void copy()}>
      {icon === "path" ? <span className="tree-path-icon" /> : <Glyph name={icon} size={12} />}
    </button>
  );
}
