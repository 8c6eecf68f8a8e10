/** Texts of what can be wrong with a text that is read, and with the way to the server. */
import { FAULTS } from "../model/text";

export const faults = {
  "fault.at": "line {line}, column {column}: {what}",
  "fault.end": "the end of the text",
  "fault.no-nodes": "not a list of nodes, each with an id and a type",
  "fault.offline": "the server does not answer",
  "fault.encoding": FAULTS.encoding,
  "fault.array": FAULTS.array,
  "fault.empty": FAULTS.empty,
  "fault.rest": FAULTS.rest,
  "fault.name": FAULTS.name,
  "fault.colon": FAULTS.colon,
  "fault.comma": FAULTS.comma,
  "fault.comma-too-many": FAULTS["comma-too-many"],
  "fault.control": FAULTS.control,
  "fault.escape": FAULTS.escape,
  "fault.open": FAULTS.open,
  "fault.value": FAULTS.value,
  "fault.number": FAULTS.number,
} as const;
