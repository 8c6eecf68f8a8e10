// exec: commands in a shell and programs that are spawned, signals and limits.
import { older } from "./_older.mjs";

const slow = 700;
export default older("exec").map(one => ({ ...one, outputs: one.outputs ?? 3, slow }));
