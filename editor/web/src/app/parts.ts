/**
 * What other parts of the editor put into its frame: panels at the side, and things that lie over all (dialogs, forms).
 * Each part adds its own when its module is loaded; main.tsx names the modules.
 */
import type { ComponentType } from "react";
import type { MessageKey } from "../messages";

export interface Panel {
  readonly id: string;
  readonly title: MessageKey;
  /** The name of a glyph of canvas/icons.tsx. */
  readonly icon: string;
  /** What the server must be able to do for the panel to be there. */
  readonly feature?: string;
  readonly component: ComponentType;
}

export const panels: Panel[] = [];
export const overlays: ComponentType[] = [];
