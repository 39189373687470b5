//! Applies a plan: asks AWS about each step again, and deactivates its key.
