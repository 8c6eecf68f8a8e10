/**
 * Settings of this browser.
 */
import { useId } from "react";
import { keyOverrides } from "../app/actions";
import { useSession, useStore } from "../app/react";
import type { Store } from "../app/store";
import { viewOf, type Theme } from "../canvas/view";
import { chooseLanguage, language, languages, t } from "../messages";
import { Dialog } from "./Dialog";

export function SettingsDialog({ onClose }: { onClose: () => void }) {
  const session = useSession();
  const view = viewOf(session);
  const id = useId();
  const theme = useStore(view.theme);
  const used = useStore(language);
  const keys = Object.keys(useStore(keyOverrides)).length;
  const openKeys = () => {
    onClose();
    view.picker.set("actions");
  };
  return (
    <Dialog id={id} title={t("settings.title")} size="small" onClose={onClose} buttons={[{ title: t("form.done"), run: onClose, primary: true }]}>
      <div className="settings">
        <div className="field">
          <label htmlFor={`${id}-theme`}>{t("settings.theme")}</label>
          <select id={`${id}-theme`} value={theme} onChange={(event) => view.theme.set(event.target.value as Theme)}>
            {(["system", "light", "dark"] as const).map((each) => (
              <option key={each} value={each}>
                {t(`settings.theme-${each}`)}
              </option>
            ))}
          </select>
        </div>
        <div className="field">
          <label htmlFor={`${id}-language`}>{t("settings.language")}</label>
          <select id={`${id}-language`} value={used} onChange={(event) => void chooseLanguage(event.target.value)}>
            {languages.map(({ code, name }) => (
              <option key={code} value={code} lang={code}>
                {name}
              </option>
            ))}
          </select>
        </div>
        <Toggle store={view.grid} label={t("settings.grid")} />
        <Toggle store={view.snapping} label={t("settings.snap")} />
        <Toggle store={view.minimap} label={t("settings.minimap")} />
        <Toggle store={view.palette} label={t("settings.palette")} />
        <div className="field">
          <span className="settings-keys">
            <button type="button" onClick={openKeys}>
              {t("settings.keys")}
            </button>
            <button type="button" disabled={keys === 0} onClick={() => keyOverrides.set({})}>
              {t("settings.reset-keys", { count: keys })}
            </button>
          </span>
        </div>
        <p className="muted">
          {t("settings.server", { version: String(useStore(session.settings).version ?? "?") })}
        </p>
      </div>
    </Dialog>
  );
}

function Toggle({ store, label }: { store: Store<boolean>; label: string }) {
  const id = useId();
  const value = useStore(store);
  return (
    <div className="field is-bool">
      <input type="checkbox" id={id} checked={value} onChange={(event) => store.set(event.target.checked)} />
      <label htmlFor={id}>{label}</label>
    </div>
  );
}
