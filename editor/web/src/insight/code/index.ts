import "../insight.css";

export { CodePanel as default } from "./CodePanel";
