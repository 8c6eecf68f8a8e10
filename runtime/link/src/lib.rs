//! Edges of a flow that leave a process.
