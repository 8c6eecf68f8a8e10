/** The code editor for the frame, as a script of its own: it is sent there when a form first has code. */
export { createEditor } from "../forms/code/editor";
