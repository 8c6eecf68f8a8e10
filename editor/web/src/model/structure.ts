/** The forms of what is no node: tabs, groups, subflows and their instances. */
import type { Field } from "./types";

const base = (name: string, label: string, kind: Field["kind"], more: Partial<Field> = {}): Field => ({ name, label, kind, default: "", required: false, ...more });

const NAME = base("name", "Name", "text", { required: true });
const TYPES = ["str", "num", "bool", "json", "bin", "jsonata", "env", "cred"];
const TYPE = base("type", "type", "text", { hidden: true, default: "str" });
const environment: readonly Field[] = [NAME, base("value", "Value", "typed", { typeField: "type", types: TYPES }), TYPE];

/** Properties that a subflow has; each can be set by its instances. */
const subflowProperty: readonly Field[] = [NAME, base("value", "Default value", "typed", { typeField: "type", types: TYPES }), base("ui", "Shown as", "json"), TYPE];

export const STRUCTURE: { readonly [type: string]: readonly Field[] } = {
  tab: [base("label", "Name", "text", { required: true }), base("disabled", "Disabled", "bool", { default: false }), base("locked", "Locked", "bool", { default: false }), base("env", "Environment", "list", { default: [], items: environment })],
  group: [base("name", "Name", "text"), base("style", "Style", "json", { default: {} }), base("env", "Environment", "list", { default: [], items: environment })],
  subflow: [base("name", "Name", "text", { required: true }), base("category", "Category", "text"), base("color", "Colour", "color"), base("icon", "Icon", "icon"), base("env", "Properties", "list", { default: [], items: subflowProperty }), base("meta", "Module", "json", { default: {} })],
  instance: [base("name", "Name", "text"), base("env", "Environment", "list", { default: [], items: environment })],
};
