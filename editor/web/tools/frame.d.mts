/** The build of the frame. */
export function frame(): import("vite").Plugin;
