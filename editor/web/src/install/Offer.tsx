/**
 * What can be done about a node whose type is not installed: to install the package that has it, or to look for one.
 */
import { useSession, useStore } from "../app/react";
import { t } from "../messages";
import type { FlowNode } from "../model/flow";
import { askFor, installsOf, mayInstall } from "./installs";
import { writeWanted } from "./names";
import { offerFor } from "./offers";

export function InstallOffer({ node }: { node: FlowNode }) {
  const session = useSession();
  const installs = installsOf(session);
  const types = useStore(session.types);
  useStore(session.check);
  useStore(installs.jobs);
  if (types.isKnown(session.flow, node) || !mayInstall(session)) return null;
  const wanted = offerFor(session, node.id);
  const busy = wanted !== undefined && installs.isUnderway(wanted.name);
  return (
    <p className="install-offer">
      {wanted && (
        <button type="button" disabled={busy} onClick={() => askFor(session, wanted)}>
          {t(busy ? "packages.installing" : "packages.install-named", { package: writeWanted(wanted) })}
        </button>
      )}
      <button type="button" onClick={() => installs.isOpen.set(true)}>
        {t("packages.show")}
      </button>
    </p>
  );
}
