/**
 * Descriptors of Node-RED's core types, for servers that give none: made of the nodes' files (see README.md). They would be
 * a part of the first load that a server with descriptors of its own makes needless.
 */
import coreTypes from "./core-types.json";
import type { NodeType } from "./types";

export const CORE_TYPES = coreTypes as unknown as readonly NodeType[];
