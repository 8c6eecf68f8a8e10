//! vgdc-http: see docs/ARCHITECTURE.md.
