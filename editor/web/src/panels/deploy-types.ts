/** The ways of deploying that users choose from. */
import type { DeployType } from "../api/client";

export const DEPLOY_TYPES: readonly DeployType[] = ["full", "flows", "nodes"];
