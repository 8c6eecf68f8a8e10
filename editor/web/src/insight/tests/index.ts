import "../insight.css";

export { TestsPanel as default } from "./TestsPanel";
