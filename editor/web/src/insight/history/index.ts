import "../insight.css";

export { HistoryPanel as default } from "./HistoryPanel";
