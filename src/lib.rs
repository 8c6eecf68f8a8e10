//! vgdc: a dataflow compiler for Node-RED flows.
