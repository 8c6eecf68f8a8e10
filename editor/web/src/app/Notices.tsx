/**
 * What the editor tells in passing. In the frame, and in a dialog while that is open: what lies behind a dialog is neither
 * seen well nor read out.
 */
import { Glyph } from "../canvas/icons";
import { t } from "../messages";
import { useSession, useStore } from "./react";

export function Notices() {
  const session = useSession();
  const notices = useStore(session.notices);
  return (
    <div className="notices" role="log" aria-live="polite" aria-label={t("app.notices")}>
      {notices.map((notice) => (
        <div key={notice.id} className={`notice is-${notice.level}`} {...(notice.level === "error" ? { role: "alert" } : {})}>
          <span>{notice.text}</span>
          {notice.actions.map((action) => (
            <button
              key={action.title}
              type="button"
              onClick={() => {
                session.dismiss(notice.id);
                action.run();
              }}
            >
              {action.title}
            </button>
          ))}
          <button type="button" className="icon-button" aria-label={t("app.dismiss")} onClick={() => session.dismiss(notice.id)}>
            <Glyph name="close" size={14} />
          </button>
        </div>
      ))}
    </div>
  );
}
