export const canvas = { "canvas.locked": "This flow is locked. Unlock it to change it." } as const;
