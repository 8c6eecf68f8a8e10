/** The forms of what is no node: tabs, groups, subflows and their instances. */
import type { Field } from "./types";

const base = (name: string, label: string, kind: Field["kind"], more: Partial<Field> = {}): Field => ({ name, label, kind, default: "", required: false, ...more });

const NAME = base("name", "Name", "text", { required: true });
const TYPES = ["str", "num", "bool", "json", "bin", "jsonata", "env", "cred"];
const TYPE = base("type", "type", "text", { hidden: true, default: "str" });
const environment: readonly Field[] = [NAME, base("value", "Value", "typed", { typeField: "type", types: TYPES }), TYPE];

/** Properties that a subflow has; each can be set by its instances. */
const subflowProperty: readonly Field[] = [NAME, base("value", "Default value", "typed", { typeField: "type", types: TYPES }), base("ui", "Shown as", "json"), TYPE];

const opacity = { hint: "between 0 and 1" };
const labelled = [{ field: "style:label", is: [true] }];
const groupStyle: readonly Field[] = [
  base("style:stroke", "Line", "color"),
  base("style:stroke-opacity", "Opacity of the line", "text", opacity),
  base("style:fill", "Filling", "color", { hint: "or: none" }),
  base("style:fill-opacity", "Opacity of the filling", "text", opacity),
  base("style:label", "Show the name", "bool", { default: true }),
  base("style:label-position", "Place of the name", "text", {
    default: "nw",
    when: labelled,
    choices: [
      { value: "nw", label: "above, at the left" },
      { value: "n", label: "above, in the middle" },
      { value: "ne", label: "above, at the right" },
      { value: "sw", label: "below, at the left" },
      { value: "s", label: "below, in the middle" },
      { value: "se", label: "below, at the right" },
    ],
  }),
  base("style:color", "Colour of the name", "color", { when: labelled }),
];

export const STRUCTURE: { readonly [type: string]: readonly Field[] } = {
  tab: [base("label", "Name", "text", { required: true }), base("disabled", "Disabled", "bool", { default: false }), base("locked", "Locked", "bool", { default: false }), base("env", "Environment", "list", { default: [], items: environment })],
  group: [base("name", "Name", "text"), ...groupStyle, base("env", "Environment", "list", { default: [], items: environment })],
  subflow: [base("name", "Name", "text", { required: true }), base("category", "Category", "text"), base("color", "Colour", "color"), base("icon", "Icon", "icon"), base("env", "Properties", "list", { default: [], items: subflowProperty }), base("meta", "Module", "json", { default: {} })],
  instance: [base("name", "Name", "text"), base("env", "Environment", "list", { default: [], items: environment })],
};
