/**
 * Descriptors of Node-RED's core types, for servers that give none: made of the nodes' files (see README.md). They are as
 * large as half of the editor, so only who needs them loads them.
 */
import coreTypes from "./core-types.json";
import type { NodeType } from "./types";

export const CORE_TYPES = coreTypes as unknown as readonly NodeType[];
